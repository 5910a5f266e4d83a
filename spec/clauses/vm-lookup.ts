// What a hypercall about a VM is given and what it meets, as the clauses read it.

import type { Step } from "../clause.ts";
import { isMemory, pageAt } from "../machine.ts";
import type { Hvc } from "../types/action.ts";
import { type Pfn, pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";
import type { GuestPage, HypVcpu, HypVm } from "../types/hyp-vm.ts";
import { HANDLE_OFFSET, KVM_MAX_PVMS } from "../types/hyp-vm.ts";
import type { PageState } from "../types/page.ts";
import { MEMCACHE_HEAD, MEMCACHE_NR_PAGES, pagesFor } from "../vm-layout.ts";
import { argument, reachedHcall } from "./hypercall.ts";
import { ensure, equal, type Verdict } from "./phrases.ts";

export type HvcStep = Step<Hvc>;
export type Check = (step: HvcStep) => boolean;

export const PAGE_BYTES = 4096n;

/** The hypercalls that make, load, map and end VMs. */
export const VM_HCALLS: readonly string[] = [
  "__pkvm_host_map_guest",
  "__pkvm_host_donate_guest",
  "__pkvm_reserve_vm",
  "__pkvm_unreserve_vm",
  "__pkvm_init_vm",
  "__pkvm_init_vcpu",
  "__pkvm_start_teardown_vm",
  "__pkvm_finalize_teardown_vm",
  "__pkvm_reclaim_dying_guest_page",
  "__pkvm_vcpu_load",
  "__pkvm_vcpu_put",
  "__pkvm_vcpu_sync_state",
];

/** Whether a step is one of them. */
export const isAboutVms: Check = (step) => VM_HCALLS.includes(reachedHcall(step) ?? "");

/** A call is refused by its nth check: all checks before it pass, and this one does not. */
export const failsAt =
  (name: string, checks: readonly Check[], n: number): Check =>
  (step) =>
    reachedHcall(step) === name &&
    checks.slice(0, n).every((check) => check(step)) &&
    checks[n]?.(step) === false;

/** A call passes every check. */
export const passes =
  (name: string, checks: readonly Check[]): Check =>
  (step) =>
    reachedHcall(step) === name && checks.every((check) => check(step));

/**
 * Where a pointer of the kernel leads: the bits that tell the bytes of 1 GiB of memory apart,
 * counted from its start. Source: kern_hyp_va; compute_layout, arch/arm64/kvm/va_layout.c.
 */
export const leadsTo = (pointer: bigint): bigint => (pointer % (1n << 30n)) + 0x4000_0000n;

/** The word that EL2 finds at a physical address. */
export const word = ({ action }: HvcStep, at: bigint): bigint => action.words?.get(at) ?? 0n;

export const low32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/** The handle that an argument names, in 32 bits. */
export const handleArgument = (step: HvcStep): number => Number(low32(argument(step, 1)));

/** The VM that an argument names, before the step. */
export function vmNamed(step: HvcStep): HypVm | undefined {
  const handle = handleArgument(step);
  const isIndex = handle >= HANDLE_OFFSET && handle < HANDLE_OFFSET + KVM_MAX_PVMS;
  return isIndex ? step.pre.vmTable.get(handle) : undefined;
}

/** The vCPU that the calling CPU has loaded, before the step. */
export function loadedBy({
  pre,
  action,
}: HvcStep):
  | { readonly handle: number; readonly index: number; readonly vm: HypVm; readonly vcpu: HypVcpu }
  | undefined {
  const which = pre.loaded[action.cpu];
  const vm = which && pre.vmTable.get(which.handle);
  const vcpu = which && vm?.vcpus[which.vcpu];
  return vm && vcpu && { handle: which.handle, index: which.vcpu, vm, vcpu };
}

/** Whether the host alone has a page of memory; EL2's own table is asked in a debug build only. */
export function isHosts(hyp: Hyp, page: Pfn): boolean {
  const { host, hyp: el2 } = pageAt(hyp, page);
  const isFree = el2 === "NOPAGE" || hyp.config.build !== "el2debug";
  return host === "OWNED" && isFree && isMemory(page);
}

/** NON-SPEC: more pages than memory has are not looked at one by one. */
const LOOKED_AT = 0x4_0000n;

/** The pages from a physical address on, if it is one of a page. */
export function pagesFrom(at: bigint, bytes: bigint): readonly Pfn[] | undefined {
  const count = pagesFor(bytes);
  if (at % PAGE_BYTES !== 0n || count > LOOKED_AT) return undefined;
  return Array.from({ length: Number(count) }, (_, n) => pfn(Number(at / PAGE_BYTES) + n));
}

/** The pages that the host offers by an argument; none that can be taken: undefined. */
export function offer(
  step: HvcStep,
  n: number,
  bytes: bigint,
  taken: readonly Pfn[] = [],
): readonly Pfn[] | undefined {
  const pages = pagesFrom(leadsTo(argument(step, n)), bytes);
  const free = pages?.every((page) => isHosts(step.pre, page) && !taken.includes(page));
  return free === true ? pages : undefined;
}

/** The pages that hold the bytes of a structure. */
export const pagesHolding = (at: bigint, bytes: bigint): readonly Pfn[] => {
  const first = at - (at % PAGE_BYTES);
  return pagesFrom(first, at + bytes - first) ?? [];
};

/** Whether a structure lies in pages that host and hypervisor share. */
export const isSharedMemory = (hyp: Hyp, at: bigint, bytes: bigint): boolean =>
  pagesHolding(at, bytes).every((page) => {
    const { host, hyp: el2 } = pageAt(hyp, page);
    return host === "SHARED_OWNED" && el2 === "SHARED_BORROWED";
  });

/** A list of pages in memory of the host: its first page's address, and how many there are. */
export const listAt = (step: HvcStep, at: bigint): { head: bigint; count: bigint } => ({
  head: word(step, at + MEMCACHE_HEAD),
  count: word(step, at + MEMCACHE_NR_PAGES),
});

/** What is mapped for a guest at an address, if its table has such an address. */
export const guestPageAt = (vm: HypVm | undefined, ipa: bigint): GuestPage | undefined =>
  ipa >> 40n === 0n ? vm?.stage2.pages.get(Number(ipa / PAGE_BYTES)) : undefined;

/** The pages named become so, and every other page stays as it was. */
export function pagesBecome({ pre, post }: Step, become: ReadonlyMap<Pfn, PageState>): Verdict {
  const touched = new Set([...pre.pages.keys(), ...post.pages.keys(), ...become.keys()]);
  const wrong = [...touched].find(
    (page) => !equal(pageAt(post, page), become.get(page) ?? pageAt(pre, page)),
  );
  return ensure(wrong === undefined, `pfn 0x${wrong?.toString(16)} is not what it becomes`);
}

/** The pages of a structure with one pin more or less. */
export const pinnedBy = (
  hyp: Hyp,
  at: bigint,
  bytes: bigint,
  by: number,
): readonly (readonly [Pfn, PageState])[] =>
  pagesHolding(at, bytes).map((page) => {
    const state = pageAt(hyp, page);
    return [page, { ...state, refcount: state.refcount + by }];
  });

/** One VM is replaced in the table (undefined: removed), and all others stay. */
export function tableWith({ pre, post }: Step, handle: number, vm: HypVm | undefined): Verdict {
  const expected = new Map(pre.vmTable);
  if (vm === undefined) expected.delete(handle);
  else expected.set(handle, vm);
  return ensure(equal(post.vmTable, expected), "the table of VMs is not as it becomes");
}
