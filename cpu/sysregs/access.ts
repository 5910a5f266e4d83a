// MRS and MSR: which register, whether the access is allowed, and what it does.

import {
  EC,
  type Exception,
  synchronous,
  type Unmodelled,
  unmodelled,
} from "../exceptions/exception.ts";
import { undefinedInstruction } from "../exceptions/generate.ts";
import { generalTarget } from "../exceptions/route.ts";
import type { Core } from "../state.ts";
import { readers, storeWritable, writers } from "./computed.ts";
import { flag, HCR_EL2 } from "./fields.ts";
import {
  type Encoding,
  genericName,
  isIdSpace,
  isImplementationDefined,
  isReservedId,
  type Register,
  registerFor,
} from "./lookup.ts";
import { isGuest, traps } from "./traps.ts";

/** MRS. `Rt` is needed for the syndrome of a trap. Source: DDI0487 C6.2 MRS. */
export function readSysreg(
  core: Core,
  op0: number,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
): bigint | Exception | Unmodelled {
  const encoding = { op0, op1, CRn, CRm, op2 };
  const iss = trapSyndrome(encoding, Rt, false);
  const register = registerFor(core, encoding);
  if (register === undefined) return readUnknown(core, encoding, iss);
  const stopped = checkAccess(core, register, encoding, iss, false);
  if (stopped !== undefined) return stopped;
  const { name } = register;
  return readers[name]?.(core, name) ?? core.sysreg[name];
}

/** MSR (register). Source: DDI0487 C6.2 MSR (register). */
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
  const encoding = { op0, op1, CRn, CRm, op2 };
  const iss = trapSyndrome(encoding, Rt, true);
  const register = registerFor(core, encoding);
  if (register === undefined) return unknown(core, encoding, iss);
  const stopped = checkAccess(core, register, encoding, iss, true);
  if (stopped !== undefined) return stopped;
  const write = writers[register.name];
  if (write !== undefined) return write(core, value, register.name);
  storeWritable(core, register.name, value);
  return undefined;
}

/**
 * ISS of EC 0x18. Source: DDI0487 D24.2.40 ESR_EL2, ISS encoding for an exception from MSR, MRS,
 * or System instruction execution in AArch64 state.
 */
export function trapSyndrome(
  { op0, op1, CRn, CRm, op2 }: Encoding,
  Rt: number,
  write: boolean,
): number {
  const direction = write ? 0 : 1;
  return (op0 << 20) | (op2 << 17) | (op1 << 14) | (CRn << 10) | (Rt << 5) | (CRm << 1) | direction;
}

/**
 * Everything that can stop an access, in order: the register is not there for this processor,
 * this direction or this level; a control traps it; a fine-grained trap; nobody modelled it.
 */
function checkAccess(
  core: Core,
  register: Register,
  encoding: Encoding,
  iss: number,
  write: boolean,
): Exception | Unmodelled | undefined {
  const { name, rules } = register;
  const { EL } = core.pstate;
  const absent = rules.feature !== undefined && !core.cpuModel.features[rules.feature];
  const lowest = write ? Math.max(register.el, rules.writeEl ?? 0) : register.el;
  if (absent || EL < lowest || rules.access === (write ? "RO" : "WO")) {
    return undefinedAccess(core, encoding, iss, write);
  }
  // The stack pointer in use has no name. Source: DDI0487 C5.2 SP_EL0.
  if (name === "SP_EL0" && core.pstate.SP === 0) return undefinedInstruction(core);
  for (const trap of rules.traps ?? []) {
    const result = traps[trap]({ core, name, write });
    if (typeof result === "object") return result;
    if (result !== undefined) return synchronous(result, EC.SystemRegisterTrap, iss);
  }
  if (fineGrained(core, register, write)) return synchronous(2, EC.SystemRegisterTrap, iss);
  return rules.unmodelled === true ? unmodelled(`system register ${name}`) : undefined;
}

/** HFGRTR_EL2, HFGWTR_EL2, HDFGRTR_EL2 and HDFGWTR_EL2. Source: DDI0487 D1.3.7 FEAT_FGT. */
function fineGrained(core: Core, { rules }: Register, write: boolean): boolean {
  if (!core.cpuModel.features.FGT || !isGuest(core)) return false;
  const { HFGRTR_EL2, HFGWTR_EL2, HDFGRTR_EL2, HDFGWTR_EL2 } = core.sysreg;
  const { fgt, debugFgt, debugFgtWritesOnly = false } = rules;
  if (fgt !== undefined && flag(write ? HFGWTR_EL2 : HFGRTR_EL2, fgt)) return true;
  if (debugFgt === undefined || (debugFgtWritesOnly && !write)) return false;
  return flag(write ? HDFGWTR_EL2 : HDFGRTR_EL2, debugFgt);
}

/**
 * UNDEFINED; but what cannot be read among the identification registers is reported as a trapped
 * access, where FEAT_IDST is. Source: DDI0487 D24.2.40 ESR_EL2, EC; FEAT_IDST.
 */
function undefinedAccess(core: Core, encoding: Encoding, iss: number, write: boolean): Exception {
  const reported = core.cpuModel.features.IDST && !write && isIdSpace(encoding);
  return reported
    ? synchronous(generalTarget(core), EC.SystemRegisterTrap, iss)
    : undefinedInstruction(core);
}

/** Encodings without a register: reserved identification reads as zero above EL0. */
function readUnknown(core: Core, encoding: Encoding, iss: number): bigint | Exception | Unmodelled {
  const { EL } = core.pstate;
  if (isReservedId(encoding) && EL !== 0) {
    const trapped = EL === 1 && flag(core.sysreg.HCR_EL2, HCR_EL2.TID3);
    return trapped ? synchronous(2, EC.SystemRegisterTrap, iss) : 0n;
  }
  if (isIdSpace(encoding)) return undefinedAccess(core, encoding, iss, false);
  return unknown(core, encoding, iss);
}

/**
 * No such register: UNDEFINED. IMPLEMENTATION DEFINED ones may be trapped by HCR_EL2.TIDCP first,
 * and where the part has some, what they do is not modelled.
 */
export function unknown(core: Core, encoding: Encoding, iss: number): Exception | Unmodelled {
  if (!isImplementationDefined(encoding)) return undefinedInstruction(core);
  if (isGuest(core) && flag(core.sysreg.HCR_EL2, HCR_EL2.TIDCP)) {
    return synchronous(2, EC.SystemRegisterTrap, iss);
  }
  if (core.pstate.EL === 0 || !core.cpuModel.implementationDefined) {
    return undefinedInstruction(core);
  }
  return unmodelled(`IMPLEMENTATION DEFINED ${genericName(encoding)}`);
}
