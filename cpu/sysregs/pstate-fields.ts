// MSR (immediate): writes of one field of PSTATE.

import type { Features } from "../cpu-model.ts";
import { EC, type Exception, synchronous } from "../exceptions/exception.ts";
import { undefinedInstruction } from "../exceptions/generate.ts";
import type { Core, PState } from "../state.ts";
import { trapSyndrome } from "./access.ts";
import { traps } from "./traps.ts";

/** A field that is one bit: the lowest of CRm. */
interface OneBit {
  readonly field: keyof PState;
  readonly el: 0 | 1;
  readonly feature?: keyof Features;
}

/** By op1 and op2. Source: DDI0487 C6.2 MSR (immediate). */
const oneBitFields: Readonly<Record<string, OneBit>> = {
  "0 3": { field: "UAO", el: 1, feature: "UAO" },
  "0 4": { field: "PAN", el: 1, feature: "PAN" },
  "0 5": { field: "SP", el: 1 },
  "3 1": { field: "SSBS", el: 0, feature: "SSBS2" },
  "3 2": { field: "DIT", el: 0, feature: "DIT" },
  "3 4": { field: "TCO", el: 0, feature: "MTE2" },
};

/** Writes the field that op1 and op2 name; CRm is the value, or the mask for DAIF. */
export function writePstateField(
  core: Core,
  op1: number,
  CRm: number,
  op2: number,
): Exception | undefined {
  if (op1 === 3 && (op2 === 6 || op2 === 7)) return writeDaif(core, op1, CRm, op2);
  const found = oneBitFields[`${op1} ${op2}`];
  if (found === undefined || core.pstate.EL < found.el) return undefinedInstruction(core);
  if (found.feature !== undefined && !core.cpuModel.features[found.feature]) {
    return undefinedInstruction(core);
  }
  writeField(core.pstate, found.field, CRm & 1);
  return undefined;
}

function writeField(pstate: Record<keyof PState, number>, name: keyof PState, value: number): void {
  pstate[name] = value;
}

/** DAIFSet and DAIFClr; EL0 needs SCTLR_EL1.UMA. */
function writeDaif(core: Core, op1: number, CRm: number, op2: number): Exception | undefined {
  const trapped = traps.UMA({ core, name: "DAIF", write: true });
  if (typeof trapped === "number") {
    const iss = trapSyndrome({ op0: 0, op1, CRn: 4, CRm, op2 }, 31, true);
    return synchronous(trapped, EC.SystemRegisterTrap, iss);
  }
  const { pstate } = core;
  const value = op2 === 6 ? 1 : 0;
  if ((CRm & 8) !== 0) pstate.D = value;
  if ((CRm & 4) !== 0) pstate.A = value;
  if ((CRm & 2) !== 0) pstate.I = value;
  if ((CRm & 1) !== 0) pstate.F = value;
  return undefined;
}
