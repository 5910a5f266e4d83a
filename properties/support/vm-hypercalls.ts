// A host's machine for tests about VMs: where its structures lie, and the hypercalls on them.

import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { Hvc } from "../../spec/types/action.ts";
import { KVM, NO_PVMFW, VCPU } from "../../spec/vm-layout.ts";

/** Frame numbers of what the host gives: any that are free, the root on an even one. */
export const AT = {
  kvm: 0x50000n,
  vcpu: 0x50010n,
  other: 0x50014n,
  hypVm: 0x50020n,
  lastRan: 0x50023n,
  root: 0x50024n,
  hypVcpu: 0x50028n,
  hypOther: 0x5002cn,
  guest: 0x50030n,
  tables: 0x50040n,
} as const;

export const pa = (frame: bigint): bigint => frame << 12n;
/** The kernel's address of a page. Source: measured, machines. */
export const kva = (frame: bigint): bigint => 0xffff_ff80_0000_0000n + pa(frame) - 0x4000_0000n;

/** A hypercall on a CPU, and what EL2 finds in memory. */
export function call(
  name: string,
  args: readonly bigint[],
  words: readonly (readonly [bigint, bigint])[] = [],
  cpu = 0,
): Hvc {
  const given = [hostSmcccId(ANDROID14_6_1.hcalls.indexOf(name)), ...args];
  const x = Array.from({ length: 18 }, (_, n) => given[n] ?? 0n);
  return { kind: "hvc", cpu, imm: 0, x, ...(words.length > 0 ? { words: new Map(words) } : {}) };
}

export const share = (frame: bigint): Hvc => call("__pkvm_host_share_hyp", [frame]);
export const unshare = (frame: bigint): Hvc => call("__pkvm_host_unshare_hyp", [frame]);

/** What the host wrote into its struct kvm. */
export interface Kvm {
  readonly vcpus?: bigint;
  readonly isProtected?: boolean;
  readonly firmware?: bigint;
}

/** __pkvm_init_vm, with frames that are not the usual ones. */
export function initVm(
  { vcpus = 2n, isProtected = true, firmware = NO_PVMFW }: Kvm = {},
  frames: Partial<Record<"hypVm" | "lastRan" | "root", bigint>> = {},
): Hvc {
  const { hypVm, lastRan, root } = { ...AT, ...frames };
  return call(
    "__pkvm_init_vm",
    [kva(AT.kvm), kva(hypVm), kva(root), kva(lastRan)],
    [
      [pa(AT.kvm) + KVM.createdVcpus, vcpus],
      [pa(AT.kvm) + KVM.enabled, isProtected ? 1n : 0n],
      [pa(AT.kvm) + KVM.pvmfwLoadAddr, firmware],
    ],
  );
}

/** What the host wrote into a struct kvm_vcpu. */
export interface Vcpu {
  readonly index?: bigint;
  readonly isOff?: boolean;
  readonly pc?: bigint;
}

/** __pkvm_init_vcpu of the first vCPU's structures, or of others. */
export function initVcpu(
  handle: bigint,
  { index = 0n, isOff = false, pc = 0n }: Vcpu = {},
  frames: { readonly host: bigint; readonly own: bigint } = { host: AT.vcpu, own: AT.hypVcpu },
): Hvc {
  const at = pa(frames.host);
  return call(
    "__pkvm_init_vcpu",
    [handle, kva(frames.host), kva(frames.own)],
    [
      [at + VCPU.vcpuIdx, index],
      [at + VCPU.features, isOff ? 1n : 0n],
      [at + VCPU.pc, pc],
    ],
  );
}

/** The second vCPU. */
export const initOther = (handle: bigint, vcpu: Vcpu = { index: 1n }): Hvc =>
  initVcpu(handle, vcpu, { host: AT.other, own: AT.hypOther });

export const load = (handle: bigint, index: bigint, cpu = 0): Hvc =>
  call("__pkvm_vcpu_load", [handle, index, 0n], [], cpu);
export const put = (cpu = 0): Hvc => call("__pkvm_vcpu_put", [], [], cpu);
export const start = (handle: bigint): Hvc => call("__pkvm_start_teardown_vm", [handle]);
export const finalize = (handle: bigint): Hvc => call("__pkvm_finalize_teardown_vm", [handle]);
export const reclaim = (handle: bigint, frame: bigint, ipa: bigint): Hvc =>
  call("__pkvm_reclaim_dying_guest_page", [handle, frame, ipa]);

/** The list of pages that the host hangs into a struct kvm_vcpu. */
export function cached(
  frames: readonly bigint[],
  host: bigint = AT.vcpu,
): readonly (readonly [bigint, bigint])[] {
  const at = pa(host) + VCPU.memcache;
  return [
    [at, pa(frames[0] ?? 0n)],
    [at + 8n, BigInt(frames.length)],
    ...frames.map((frame, n) => [pa(frame), pa(frames[n + 1] ?? 0n)] as const),
  ];
}

/** __pkvm_host_map_guest with a list of pages for tables. */
export const map = (
  frame: bigint,
  gfn: bigint,
  tables: readonly bigint[] = [],
  { cpu = 0, host = AT.vcpu as bigint } = {},
): Hvc => call("__pkvm_host_map_guest", [frame, gfn], cached(tables, host), cpu);

/** Everything that is shared with the hypervisor for a VM of two vCPUs. */
export const SHARED: readonly Hvc[] = [
  AT.kvm,
  ...[0n, 1n, 2n].flatMap((n) => [AT.vcpu + n, AT.other + n]),
].map(share);

export const HANDLE = 0x1000n;
