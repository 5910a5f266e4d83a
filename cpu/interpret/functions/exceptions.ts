// Functions of the exception-generating instructions and of the exception return.

import {
  exceptionReturnTrap,
  hypervisorCall,
  secureMonitorCall,
  softwareBreakpoint,
  supervisorCall,
  undefinedInstruction,
} from "../../exceptions/generate.ts";
import { exceptionReturn } from "../../exceptions/take.ts";
import type { Core } from "../../state.ts";
import { ENTERED, type Outcome } from "../outcome.ts";
import { pauthFunctions } from "./pointer-authentication.ts";

/** Leaves the core where it is not trapped: EL3 is outside. */
const SMC = (core: Core, imm16: number): Outcome =>
  secureMonitorCall(core, imm16) ?? { kind: "smc", imm: imm16 };

/** ELR_ELx of the current level. */
const linkRegister = (core: Core): bigint =>
  core.pstate.EL === 2 ? core.sysreg.ELR_EL2 : core.sysreg.ELR_EL1;

function returnTo(core: Core, target: bigint): Outcome {
  exceptionReturn(core, target);
  return ENTERED;
}

const ERET = (core: Core): Outcome =>
  exceptionReturnTrap(core) ?? returnTo(core, linkRegister(core));

/** ERETAA and ERETAB: the link register is authenticated with the stack pointer in use. */
function authenticatedReturn(core: Core, key: "A" | "B"): Outcome {
  const trap = exceptionReturnTrap(core, key);
  if (trap !== undefined) return trap;
  const { AuthIA, AuthIB } = pauthFunctions;
  const modifier = core.sp[core.pstate.SP === 0 ? 0 : core.pstate.EL] ?? 0n;
  const target = (key === "A" ? AuthIA : AuthIB)(core, linkRegister(core), modifier, 1);
  return typeof target === "bigint" ? returnTo(core, target) : target;
}

/** HLT, DCPS and DRPS are UNDEFINED without an external debugger and outside Debug state. */
export const exceptionFunctions = {
  SVC: supervisorCall,
  HVC: hypervisorCall,
  SMC,
  BRK: softwareBreakpoint,
  HLT: undefinedInstruction,
  DCPS: undefinedInstruction,
  DRPS: undefinedInstruction,
  ERET,
  ERETAA: (core: Core): Outcome => authenticatedReturn(core, "A"),
  ERETAB: (core: Core): Outcome => authenticatedReturn(core, "B"),
};
