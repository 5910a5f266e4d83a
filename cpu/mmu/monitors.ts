// The exclusive monitors: load-exclusive marks, store-exclusive asks, other writers clear.
//
// A core's mark is its local monitor and its part of the global one at once. Interleaving is
// sequentially consistent: one instruction of one core at a time.

import type { AccessDescriptor } from "../bits/access-descriptor.ts";
import type { Fault } from "../exceptions/exception.ts";
import type { AccessSize } from "../memory.ts";
import type { Core } from "../state.ts";
import { probeWrite, readMem, writeMem } from "./access.ts";
import { translate } from "./translate.ts";

/**
 * LDXR: reads, and marks the physical address and size. CHOICE: the marked block is the access.
 * Source: DDI0487 B2.13; AArch64.SetExclusiveMonitors.
 */
export function loadExclusive(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): bigint | Fault {
  const value = readMem(core, va, sizeBytes, access);
  if (typeof value !== "bigint") return value;
  core.exclusive = { pa: physicalAddress(core, va, false), sizeBytes };
  if (core.stepped === "instruction") core.stepped = "load-exclusive";
  return value;
}

/**
 * STXR: writes if the mark is still there; 0 is success, 1 failure. Either way the mark is gone.
 * CHOICE: alignment and translation are checked before the monitor, so that a store-exclusive
 * that would fault does so whether it is marked or not.
 * Source: DDI0487 B2.13; AArch64.ExclusiveMonitorsPass.
 */
export function storeExclusive(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  value: bigint,
  access: AccessDescriptor,
): 0 | 1 | Fault {
  const fault = probeWrite(core, va, sizeBytes, access);
  if (fault !== undefined) return fault;
  const mark = core.exclusive;
  core.exclusive = undefined;
  if (mark === undefined || mark.sizeBytes !== sizeBytes) return 1;
  if (mark.pa !== physicalAddress(core, va, true)) return 1;
  return writeMem(core, va, sizeBytes, value, access) ?? 0;
}

/** CLREX. */
export function clearExclusive(core: Core): void {
  core.exclusive = undefined;
}

/** The physical address of an access that has just been allowed. */
function physicalAddress(core: Core, va: bigint, write: boolean): bigint {
  const { EL, PAN } = core.pstate;
  const translation = translate(core, {
    va,
    kind: write ? "write" : "read",
    write,
    el: EL,
    pan: PAN === 1,
    aligned: true,
  });
  if ("fault" in translation) throw new Error("an access that was allowed no longer is");
  return BigInt(translation.pa);
}

/** A write by one core clears the marks that others have on the same bytes. */
export function clearMonitorsOfOthers(core: Core, pa: number, sizeBytes: number): void {
  for (const other of core.memory.cores) {
    if (other !== core && other.exclusive !== undefined) clearOverlapping(other, pa, sizeBytes);
  }
}

/** Clears a core's mark if it overlaps. Losing the global monitor sets the event register. */
function clearOverlapping(core: Core, pa: number, sizeBytes: number): void {
  const { exclusive } = core;
  if (exclusive === undefined) return;
  const marked = Number(exclusive.pa);
  if (pa < marked + exclusive.sizeBytes && marked < pa + sizeBytes) {
    core.exclusive = undefined;
    core.event = true;
  }
}
