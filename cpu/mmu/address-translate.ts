// AT: translations on demand, with the answer in PAR_EL1.

import { dataAbort } from "../exceptions/abort.ts";
import type { Exception } from "../exceptions/exception.ts";
import { inHost } from "../exceptions/route.ts";
import type { Core, El } from "../state.ts";
import { type FaultRecord, faultStatusCode } from "./fault-record.ts";
import { isDevice, type MemoryAttributes } from "./memory-attributes.ts";
import type { Request } from "./request.ts";
import { type Translation, translate, translateStage1Only } from "./translate.ts";

/** A form of AT, as its name spells it. */
export interface AtForm {
  /** Both stages, or stage 1 alone. */
  readonly both: boolean;
  readonly el: El;
  readonly write: boolean;
  /** With PSTATE.PAN (FEAT_PAN2). */
  readonly pan: boolean;
}

/** Reads the name of an AT instruction. Source: DDI0487 C5.4. */
export function atForm(name: string): AtForm {
  const match = /^S(12?)E([012])([RW])(P)?$/.exec(name);
  if (match === null) throw new Error(`${name} is no AT`);
  const [, stages, el, direction, pan] = match;
  return {
    both: stages === "12",
    el: Number(el) as El,
    write: direction === "W",
    pan: pan !== undefined,
  };
}

/**
 * Translates `va` as the form says and writes PAR_EL1. A stage 2 failure on the walk of a stage 1
 * translation that EL1 asked for is taken by EL2 as a Data Abort.
 * Source: DDI0487 D8.12; AArch64.AT.
 */
export function addressTranslate(core: Core, form: AtForm, va: bigint): Exception | undefined {
  // At EL2 as the host of EL0, its own regime stands for that of EL1.
  const el = form.el === 1 && core.pstate.EL === 2 && inHost(core) ? 2 : form.el;
  const request: Request = {
    va,
    kind: "at",
    write: form.write,
    el,
    pan: form.pan && core.pstate.PAN === 1,
    aligned: true,
  };
  const result = form.both ? translate(core, request) : translateStage1Only(core, request);
  if ("fault" in result) {
    if (result.onStage1Walk && !form.both && core.pstate.EL < 2) {
      return dataAbort(core, va, result, { write: form.write, maintenance: true, syndrome: 0 });
    }
    core.sysreg.PAR_EL1 = parOfFault(result);
    return undefined;
  }
  core.sysreg.PAR_EL1 = parOf(result);
  return undefined;
}

/**
 * F is 0: ATTR, PA, NS and SH. CHOICE: NS, UNKNOWN for Non-secure regimes, is 1.
 * Source: DDI0487 D24.2.112 PAR_EL1.
 */
function parOf({ pa, attributes }: Translation): bigint {
  const page = BigInt(Math.floor(pa / 4096)) << 12n;
  const low = (1 << 11) | (1 << 9) | (shareability(attributes) << 7);
  return (BigInt(attributes.attr) << 56n) | page | BigInt(low);
}

/** Device and Non-cacheable memory is outer shareable whatever the tables say. */
function shareability(attributes: MemoryAttributes): number {
  return isDevice(attributes) || attributes.attr === 0x44 ? 0b10 : attributes.sh;
}

/** F is 1: the stage, whether on a walk of stage 1, and the fault status code. */
function parOfFault(record: FaultRecord): bigint {
  const status = faultStatusCode(record.fault, record.level) << 1;
  const stage2 = record.stage === 2 ? 1 << 9 : 0;
  const onWalk = record.onStage1Walk ? 1 << 8 : 0;
  return BigInt((1 << 11) | stage2 | onWalk | status | 1);
}
