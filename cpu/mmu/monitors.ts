// The exclusive monitors: load-exclusive marks, store-exclusive asks, other writers clear.

import type { Fault } from "../exceptions/exception.ts";
import type { AccessSize } from "../memory.ts";
import type { Core } from "../state.ts";
import type { AccessDescriptor } from "./access.ts";

/** LDXR: reads and marks the address. */
export function loadExclusive(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): bigint | Fault {
  throw new Error(`TODO ${core.pc} ${va} ${sizeBytes} ${access}`);
}

/** STXR: writes if the mark is still there; 0 is success, 1 failure. */
export function storeExclusive(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  value: bigint,
  access: AccessDescriptor,
): 0 | 1 | Fault {
  throw new Error(`TODO ${core.pc} ${va} ${sizeBytes} ${value} ${access}`);
}

/** CLREX. */
export function clearExclusive(core: Core): void {
  core.exclusive = undefined;
}
