// Taking an exception and returning from one.

import type { Core } from "../state.ts";
import type { Exception } from "./exception.ts";

/** Takes an exception: syndrome, return state, PSTATE, and PC at the vector. */
export function takeException(core: Core, exception: Exception): void {
  throw new Error(`TODO ${core.pc} ${exception}`);
}

/** ERET: PSTATE from SPSR_ELx and PC from ELR_ELx. `target` is the ELR, authenticated for ERETAA. */
export function exceptionReturn(core: Core, target: bigint): void {
  throw new Error(`TODO ${core.pc} ${target}`);
}
