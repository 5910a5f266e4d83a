// Every branch by its name, and the lookups that rules and transitions make in its table.

import type { Errno } from "../types/errno.ts";
import type { SystemConfig } from "../types/hyp.ts";
import { ANDROID14_6_1 } from "./android14-6.1.ts";
import { ANDROID15_6_6 } from "./android15-6.6.ts";
import { ANDROID16_6_12 } from "./android16-6.12.ts";
import { ANDROID17_6_18 } from "./android17-6.18.ts";
import { BRANCH_NAMES, type Branch, type BranchName, type OpsSlot, SLOT_BYTES } from "./branch.ts";
import { MAINLINE_6_1 } from "./mainline-6.1.ts";
import { MAINLINE_6_12 } from "./mainline-6.12.ts";
import { MAINLINE_7_3 } from "./mainline-7.3.ts";
import type { VmPolicy } from "./vm-policy.ts";

export const BRANCHES: Readonly<Record<BranchName, Branch>> = {
  "android14-6.1": ANDROID14_6_1,
  "android15-6.6": ANDROID15_6_6,
  "android16-6.12": ANDROID16_6_12,
  "android17-6.18": ANDROID17_6_18,
  "mainline-6.1": MAINLINE_6_1,
  "mainline-6.12": MAINLINE_6_12,
  "mainline-7.3": MAINLINE_7_3,
};

/** VMs at EL2 on a branch whose VM hypercalls are modelled. */
export function vmsOf(config: Pick<SystemConfig, "branch">): VmPolicy {
  const { name, vms } = branchOf(config);
  if (vms === undefined) throw new Error(`${name} has no VMs that are modelled`);
  return vms;
}

/** The branches that load vendor modules. */
export const VENDOR_BRANCHES: readonly BranchName[] = BRANCH_NAMES.filter(
  (name) => BRANCHES[name].vendorModules,
);

/** Whether a text from outside names a branch. */
export const isBranchName = (text: string): text is BranchName =>
  BRANCH_NAMES.some((name) => name === text);

/** The branch of a system; a documented system is its branch with the page's promises kept. */
export const branchOf = (config: Pick<SystemConfig, "branch">): Branch => BRANCHES[config.branch];

/**
 * KVM_HOST_SMCCC_ID(0): fast call, SMC64, owner "vendor specific hypervisor". Source:
 * asm/kvm_asm.h; SMCCC 1.3.
 */
export const HOST_SMCCC_BASE = 0xc600_0000n;

/** KVM_HOST_SMCCC_ID(n): what x0 holds to call function `n`. */
export const hostSmcccId = (n: number): bigint => HOST_SMCCC_BASE + BigInt(n);

/** The number of a hypercall on a branch; undefined where the branch does not have it. */
export function hcallNumber(branch: Branch, name: string): number | undefined {
  const at = branch.hcalls.indexOf(name);
  return at < 0 ? undefined : at;
}

/**
 * The number below which nothing is answered once the key is set (hcall_min).
 * Source: handle_host_hcall, hyp/nvhe/hyp-main.c.
 */
export function protFinalizeNumber(branch: Branch): number {
  const number = hcallNumber(branch, "__pkvm_prot_finalize");
  if (number === undefined) throw new Error(`${branch.name} has no __pkvm_prot_finalize`);
  return number;
}

/** The first id that a function can be registered under; asked only where modules can register. */
export function firstDynamicId({ name, dynamicBase }: Branch): number {
  if (dynamicBase === undefined) throw new Error(`${name} has no registered hypercalls`);
  return dynamicBase;
}

/** The slot of an op; undefined where the branch does not have it. */
export const slotOf = (branch: Branch, op: string): OpsSlot | undefined =>
  branch.ops.find((slot) => slot.op === op);

/** sizeof(struct pkvm_module_ops). */
export const opsBytes = (branch: Branch): number => branch.ops.length * SLOT_BYTES;

/**
 * What __pkvm_load_el2_module returns when it gets no EL2 address: the call refused, or no room.
 */
export const reserveErrno = (branch: Branch, refused: boolean): Errno =>
  refused ? branch.reserveRefused : branch.reserveFailed;
