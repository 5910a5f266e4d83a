// Functions of the exception-generating instructions and of the exception return.

import type { Exception } from "../../exceptions/exception.ts";
import {
  exceptionReturnTrap,
  hypervisorCall,
  secureMonitorCall,
  softwareBreakpoint,
  supervisorCall,
  undefinedInstruction,
} from "../../exceptions/generate.ts";
import { exceptionReturn, takeException } from "../../exceptions/take.ts";
import type { Core } from "../../state.ts";
import { ENTERED, type Outcome } from "../outcome.ts";
import { pointerAuthenticationFunctions } from "./pointer-authentication.ts";

function enter(core: Core, exception: Exception): Outcome {
  takeException(core, exception);
  return ENTERED;
}

const SVC = (core: Core, imm16: number): Outcome => enter(core, supervisorCall(core, imm16));
const HVC = (core: Core, imm16: number): Outcome => enter(core, hypervisorCall(core, imm16));
const BRK = (core: Core, imm16: number): Outcome => enter(core, softwareBreakpoint(core, imm16));

/** Leaves the core where it is not trapped: EL3 is outside. */
function SMC(core: Core, imm16: number): Outcome {
  const exception = secureMonitorCall(core, imm16);
  return exception === undefined ? { kind: "smc", imm: imm16 } : enter(core, exception);
}

/** HLT, DCPS and DRPS are UNDEFINED without an external debugger and outside Debug state. */
const undefinedHere = (core: Core): Outcome => enter(core, undefinedInstruction(core));

/** ELR_ELx of the current level. */
const linkRegister = (core: Core): bigint =>
  core.pstate.EL === 2 ? core.sysreg.ELR_EL2 : core.sysreg.ELR_EL1;

function ERET(core: Core): Outcome {
  const trap = exceptionReturnTrap(core);
  if (trap !== undefined) return enter(core, trap);
  exceptionReturn(core, linkRegister(core));
  return ENTERED;
}

/** ERETAA and ERETAB: the link register is authenticated with the stack pointer in use. */
function authenticatedReturn(core: Core, key: "A" | "B"): Outcome {
  const trap = exceptionReturnTrap(core, key);
  if (trap !== undefined) return enter(core, trap);
  const { AuthIA, AuthIB } = pointerAuthenticationFunctions;
  const modifier = core.sp[core.pstate.SP === 0 ? 0 : core.pstate.EL] ?? 0n;
  const target = (key === "A" ? AuthIA : AuthIB)(core, linkRegister(core), modifier);
  if (typeof target !== "bigint") return enter(core, target);
  exceptionReturn(core, target);
  return ENTERED;
}

export const exceptionFunctions = {
  SVC,
  HVC,
  SMC,
  BRK,
  HLT: undefinedHere,
  DCPS: undefinedHere,
  DRPS: undefinedHere,
  ERET,
  ERETAA: (core: Core): Outcome => authenticatedReturn(core, "A"),
  ERETAB: (core: Core): Outcome => authenticatedReturn(core, "B"),
};
