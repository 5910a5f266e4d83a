// The exceptions that memory accesses generate, with their syndromes.

import { type FaultRecord, faultStatusCode } from "../mmu/fault-record.ts";
import type { Core } from "../state.ts";
import { EC, type Exception } from "./exception.ts";
import { abortTarget, generalTarget } from "./route.ts";

/** S1PTW: stage 2 failed on a walk of stage 1. */
const S1PTW = 1 << 7;
const WNR = 1 << 6;
const CM = 1 << 8;

/** What a data access adds to its syndrome. */
export interface DataAccess {
  readonly write: boolean;
  /** Cache maintenance or address translation by instruction. */
  readonly maintenance: boolean;
  /** ISV, SAS, SSE, SRT, SF and AR at their places, zero where ISV is 0. */
  readonly syndrome: number;
}

/**
 * A Data Abort. ISV and what it validates are there for stage 2 faults of the access itself.
 * Source: DDI0487 D24.2.40 ESR_EL2, ISS encoding for an exception from a Data Abort.
 */
export function dataAbort(
  core: Core,
  va: bigint,
  record: FaultRecord,
  access: DataAccess,
): Exception {
  const target = abortTarget(core, record.stage, isExternal(record));
  const describes = record.stage === 2 && !record.onStage1Walk;
  const iss =
    (describes ? access.syndrome : 0) |
    (access.maintenance ? CM : 0) |
    (record.onStage1Walk ? S1PTW : 0) |
    (access.write || access.maintenance ? WNR : 0) |
    faultStatusCode(record.fault, record.level);
  return {
    type: "synchronous",
    target,
    ec: target === core.pstate.EL ? EC.DataAbortSameEl : EC.DataAbortLowerEl,
    iss,
    far: va,
    hpfar: hpfarOf(record),
    returnTo: "this",
  };
}

/** An Instruction Abort. Source: DDI0487 D24.2.40 ESR_EL2, ISS for an Instruction Abort. */
export function instructionAbort(core: Core, va: bigint, record: FaultRecord): Exception {
  const target = abortTarget(core, record.stage, isExternal(record));
  return {
    type: "synchronous",
    target,
    ec: target === core.pstate.EL ? EC.InstructionAbortSameEl : EC.InstructionAbortLowerEl,
    iss: (record.onStage1Walk ? S1PTW : 0) | faultStatusCode(record.fault, record.level),
    far: va,
    hpfar: hpfarOf(record),
    returnTo: "this",
  };
}

/** A PC that is not a multiple of four. Source: DDI0487 D1.3.5.2 PC alignment checking. */
export function pcAlignmentFault(core: Core, pc: bigint): Exception {
  return {
    type: "synchronous",
    target: generalTarget(core),
    ec: EC.PCAlignment,
    iss: 0,
    far: pc,
    hpfar: undefined,
    returnTo: "this",
  };
}

/** A base register SP that is not a multiple of sixteen. D1.3.5.3 SP alignment checking. */
export function spAlignmentFault(core: Core): Exception {
  return {
    type: "synchronous",
    target: generalTarget(core),
    ec: EC.SPAlignment,
    iss: 0,
    far: undefined,
    hpfar: undefined,
    returnTo: "this",
  };
}

function isExternal(record: FaultRecord): boolean {
  return record.fault === "externalAbort" || record.fault === "externalAbortOnWalk";
}

/**
 * FIPA is the IPA from bit 12 up, at bit 4.
 * CHOICE: after a permission fault of the access itself it is UNKNOWN; it is written here.
 * Source: DDI0487 D24.2.67 HPFAR_EL2.
 */
function hpfarOf(record: FaultRecord): bigint | undefined {
  if (record.stage === 1) return undefined;
  return BigInt(Math.floor(record.ipa / 4096)) << 4n;
}
