// Functions of MRS, MSR, SYS and SYSL.

import type { Exception, Unmodelled } from "../../exceptions/exception.ts";
import type { Core } from "../../state.ts";
import { readSysreg, writeSysreg } from "../../sysregs/access.ts";
import { writePstateField } from "../../sysregs/pstate-fields.ts";
import { executeSys, executeSysl } from "../../sysregs/system-instructions.ts";
import { type Outcome, SYNCED } from "../outcome.ts";

/** A write to a system register may change everything that the engine has looked up. */
const finish = (result: undefined | Exception | Unmodelled): Outcome => result ?? SYNCED;

type Numbers5 = [op0: number, op1: number, CRn: number, CRm: number, op2: number, Rt: number];
type Numbers4 = [op1: number, CRn: number, CRm: number, op2: number, Rt: number];

export const systemFunctions = {
  MRS: readSysreg,
  MSR: (core: Core, ...[op0, op1, CRn, CRm, op2, Rt, value]: [...Numbers5, bigint]): Outcome =>
    finish(writeSysreg(core, op0, op1, CRn, CRm, op2, Rt, value)),
  MSR_immediate: (core: Core, op1: number, op2: number, CRm: number): Outcome =>
    finish(writePstateField(core, op1, CRm, op2)),
  SYS: (core: Core, ...[op1, CRn, CRm, op2, Rt, value]: [...Numbers4, bigint]): Outcome =>
    finish(executeSys(core, op1, CRn, CRm, op2, Rt, value)),
  SYSL: executeSysl,
};
