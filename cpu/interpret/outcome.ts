// How the execution of one instruction ends, as seen by the loop that runs instructions.

import type { Stop } from "../core.ts";

/** Go on with the next instruction. */
export const NEXT = 0;
/** `core.pc` has been written: a branch was taken. */
export const JUMPED = 1;
/** Go on with the next instruction, in a context that may have changed. */
export const SYNCED = 2;
/** `core.pc` has been written, and the context may have changed: an exception or its return. */
export const ENTERED = 3;

export type Outcome = typeof NEXT | typeof JUMPED | typeof SYNCED | typeof ENTERED | Stop;
