// How the execution of one instruction ends, as seen by the loop that runs instructions.

import type { Stop } from "../core.ts";
import type { Exception, Unmodelled } from "../exceptions/exception.ts";

/**
 * A multiple of four says how far the next instruction is from this one: 4 to go on, other values
 * for direct branches.
 */
export const NEXT = 4;
/** `core.pc` has been written: an indirect branch was taken. */
export const JUMPED = 1;
/** Go on with the next instruction, in a context that may have changed. */
export const SYNCED = 2;
/** `core.pc` has been written, and the context may have changed: an exception or its return. */
export const ENTERED = 3;

/** A number as above; an exception to take, or something unmodelled; a reason to stop. */
export type Outcome = number | Exception | Unmodelled | Stop;

/** Whether a number is a distance. */
export const isDistance = (outcome: number): boolean => (outcome & 3) === 0;
