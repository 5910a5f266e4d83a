// Functions of the load and store instructions.

import type { AccessDescriptor } from "../../bits/access-descriptor.ts";
import { EC, type Exception, type Fault, synchronous } from "../../exceptions/exception.ts";
import { generalTarget } from "../../exceptions/route.ts";
import type { AccessSize } from "../../memory.ts";
import { isGuarded } from "../../mmu/fetch.ts";
import { clearExclusive, loadExclusive, storeExclusive } from "../../mmu/monitors.ts";
import type { Core } from "../../state.ts";
import { NEXT, type Outcome } from "../outcome.ts";

/** SCTLR_ELx.SA, and SA0 of the level that controls EL0. Source: DDI0487 D24.2.169 SCTLR_EL1. */
const SA = 1n << 3n;
const SA0 = 1n << 4n;

/** The stack pointer in use, if it is aligned or need not be. Source: DDI0487 CheckSPAlignment. */
function CheckSPAlignment(core: Core): bigint | Exception {
  const { EL, SP } = core.pstate;
  const sp = core.sp[SP === 0 ? 0 : EL] ?? 0n;
  if ((sp & 15n) === 0n) return sp;
  const target = generalTarget(core);
  const sctlr = target === 2 ? core.sysreg.SCTLR_EL2 : core.sysreg.SCTLR_EL1;
  const checks = (sctlr & (EL === 0 ? SA0 : SA)) !== 0n;
  return checks ? synchronous(target, EC.SPAlignment, 0) : sp;
}

function AArch64_BranchAddr(_core: Core, target: bigint): bigint {
  return target;
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
  AArch64_BranchAddr,
  InGuardedPage,
  LoadExclusive,
  StoreExclusive,
  ClearExclusiveLocal,
};
