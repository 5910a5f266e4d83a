// MRS, MSR and SYS: which register, whether the access is allowed, and what it does.

import type { Exception, Unmodelled } from "../exceptions/exception.ts";
import type { Core } from "../state.ts";

/** MRS. `Rt` is needed for the syndrome of a trap. */
export function readSysreg(
  core: Core,
  op0: number,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
): bigint | Exception | Unmodelled {
  throw new Error(`TODO ${core.pc} ${op0} ${op1} ${CRn} ${CRm} ${op2} ${Rt}`);
}

/** MSR (register). */
export function writeSysreg(
  core: Core,
  op0: number,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
  value: bigint,
): undefined | Exception | Unmodelled {
  throw new Error(`TODO ${core.pc} ${op0} ${op1} ${CRn} ${CRm} ${op2} ${Rt} ${value}`);
}

/** MSR (immediate): `op1` and `op2` say which PSTATE field. */
export function writePstateField(
  core: Core,
  op1: number,
  CRm: number,
  op2: number,
): undefined | Exception | Unmodelled {
  throw new Error(`TODO ${core.pc} ${op1} ${CRm} ${op2}`);
}

/** SYS: data and instruction cache, address translation, TLB, prediction restriction. */
export function executeSys(
  core: Core,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
  value: bigint,
): undefined | Exception | Unmodelled {
  throw new Error(`TODO ${core.pc} ${op1} ${CRn} ${CRm} ${op2} ${Rt} ${value}`);
}

/** SYSL: no encoding of v8.5 without IMPLEMENTATION DEFINED ones. */
export function executeSysl(
  core: Core,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
): bigint | Exception | Unmodelled {
  throw new Error(`TODO ${core.pc} ${op1} ${CRn} ${CRm} ${op2} ${Rt}`);
}
