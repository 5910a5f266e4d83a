// Functions of the load and store instructions.

import type { AccessDescriptor } from "../../bits/access-descriptor.ts";
import { spAlignmentFault } from "../../exceptions/abort.ts";
import type { Exception, Fault } from "../../exceptions/exception.ts";
import type { AccessSize } from "../../memory.ts";
import { branchAddress } from "../../mmu/branch-address.ts";
import { isGuarded } from "../../mmu/fetch.ts";
import { clearExclusive, loadExclusive, storeExclusive } from "../../mmu/monitors.ts";
import { sctlrOf } from "../../mmu/tags.ts";
import type { Core } from "../../state.ts";
import { flag, SCTLR } from "../../sysregs/fields.ts";
import { NEXT, type Outcome } from "../outcome.ts";

/** The stack pointer in use, if it is aligned or need not be. Source: DDI0487 CheckSPAlignment. */
function CheckSPAlignment(core: Core): bigint | Exception {
  const { EL, SP } = core.pstate;
  const sp = core.sp[SP === 0 ? 0 : EL] ?? 0n;
  if ((sp & 15n) === 0n) return sp;
  return flag(sctlrOf(core, EL), EL === 0 ? SCTLR.SA0 : SCTLR.SA) ? spAlignmentFault(core) : sp;
}

/** Whether a branch from this instruction leaves a page that is guarded. */
const InGuardedPage = (core: Core): 0 | 1 => (isGuarded(core, core.pc) ? 1 : 0);

/** Reads a value of the access's size and marks its address. */
function LoadExclusive(
  core: Core,
  address: bigint,
  sizeBytes: number,
  access: AccessDescriptor,
): bigint | Fault {
  return loadExclusive(core, address, sizeBytes as AccessSize, access);
}

function StoreExclusive(
  core: Core,
  address: bigint,
  value: bigint | number,
  sizeBytes: number,
  access: AccessDescriptor,
): 0 | 1 | Fault {
  return storeExclusive(core, address, sizeBytes as AccessSize, BigInt(value), access);
}

function ClearExclusiveLocal(core: Core): Outcome {
  clearExclusive(core);
  return NEXT;
}

export const memoryFunctions = {
  CheckSPAlignment,
  AArch64_BranchAddr: branchAddress,
  InGuardedPage,
  LoadExclusive,
  StoreExclusive,
  ClearExclusiveLocal,
};
