// Walks through the lives of VMs on mainline 7.3: every refusal, and what is let in.

import { PSCI, SMCCC } from "../../spec/guest-calls.ts";
import type { Action, Hvc } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { KVM_MAX_PVMS } from "../../spec/types/hyp-vm.ts";
import { IFLAG, KVM, VCPU } from "../../spec/vm-layout.ts";
import { hypercallOn } from "./branch-walks.ts";
import { AT, cached, HANDLE, kva, pa } from "./vm-hypercalls.ts";
import type { Walk } from "./walks.ts";

const SYSTEM: SystemConfig = {
  branch: "mainline-7.3",
  build: "el2debug",
  documented: false,
  cpuCount: 2,
};

const walk = (name: string, actions: readonly Action[]): Walk => ({
  name: `mainline-7.3: ${name}`,
  why: "only a host that calls the hypervisor by itself does it",
  system: SYSTEM,
  actions: [
    { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
    { kind: "kvm_arm_init" },
    ...actions,
  ],
  breaks: [],
});

type Words = readonly (readonly [bigint, bigint])[];

export const call = (name: string, args: readonly bigint[] = [], words: Words = []): Hvc => ({
  ...hypercallOn(SYSTEM.branch, name, ...args),
  ...(words.length > 0 ? { words: new Map(words) } : {}),
});
export const share = (frame: bigint): Hvc => call("__pkvm_host_share_hyp", [frame]);
export const reserve = call("__pkvm_reserve_vm");
export const unreserve = (handle: bigint): Hvc => call("__pkvm_unreserve_vm", [handle]);

/** __pkvm_init_vm, with a struct kvm and frames that are not the usual ones. */
export const initVm = (
  { vcpus = 2n, isProtected = true, handle = HANDLE } = {},
  frames: Partial<Record<"hypVm" | "root", bigint>> = {},
): Hvc => {
  const { hypVm, root } = { ...AT, ...frames };
  return call(
    "__pkvm_init_vm",
    [kva(AT.kvm), kva(hypVm), kva(root)],
    [
      [pa(AT.kvm) + KVM.createdVcpus, vcpus],
      [pa(AT.kvm) + KVM.handle, handle],
      [pa(AT.kvm) + KVM.enabled, isProtected ? 1n : 0n],
    ],
  );
};
export const initVcpu = (index: bigint, host: bigint = AT.vcpu, own: bigint = AT.hypVcpu): Hvc =>
  call("__pkvm_init_vcpu", [HANDLE, kva(host), kva(own)], [[pa(host) + VCPU.vcpuIdx, index]]);
const load = (index: bigint): Hvc => call("__pkvm_vcpu_load", [HANDLE, index, 0n]);
const put = call("__pkvm_vcpu_put");
export const donate = (frame: bigint, gfn: bigint, tables: readonly bigint[] = []): Hvc =>
  call("__pkvm_host_donate_guest", [frame, gfn], cached(tables));
const start = call("__pkvm_start_teardown_vm", [HANDLE]);
export const reclaim = (gfn: bigint): Hvc => call("__pkvm_reclaim_dying_guest_page", [HANDLE, gfn]);
const finalize = call("__pkvm_finalize_teardown_vm", [HANDLE]);
const run = (words: Words = [], vcpu: bigint = AT.vcpu): Hvc =>
  call(
    "__kvm_vcpu_run",
    [kva(vcpu)],
    words.map(([offset, value]) => [pa(AT.vcpu) + offset, value] as const),
  );

const SHARED: readonly Hvc[] = [
  AT.kvm,
  ...[0n, 1n, 2n].flatMap((n) => [AT.vcpu + n, AT.other + n]),
].map(share);

const TABLES = [AT.tables, AT.tables + 1n, AT.tables + 2n, AT.tables + 3n];
const GFN = 0x80000n;
const IPA = GFN << 12n;

/** A protected guest with one page, loaded on CPU 0. */
const GUEST: readonly Action[] = [
  ...SHARED,
  reserve,
  initVm(),
  initVcpu(0n),
  load(0n),
  donate(AT.guest, GFN, TABLES.slice(0, 2)),
];

const LIVES: readonly Walk[] = [
  walk("handles are reserved and given back", [
    unreserve(HANDLE),
    reserve,
    reserve,
    unreserve(HANDLE),
    unreserve(HANDLE),
    reserve,
    unreserve(0xffff_ffffn),
    ...SHARED,
    initVm(),
    unreserve(HANDLE),
    start,
    finalize,
    reserve,
  ]),
  walk(
    "all handles are reserved",
    Array.from({ length: KVM_MAX_PVMS + 1 }, () => reserve),
  ),
  walk("VMs and vCPUs are made of bad memory, for handles that nobody reserved, too often", [
    initVm(),
    ...SHARED,
    initVm(),
    initVcpu(0n),
    reserve,
    initVm({ vcpus: 0n }),
    initVm({ handle: 0xfffn }),
    initVm({}, { hypVm: 0x7f400n }),
    initVm({}, { hypVm: AT.kvm }),
    initVm({}, { root: AT.hypVm }),
    initVm({}, { root: AT.root + 1n }),
    initVm({ handle: HANDLE + 1n }),
    initVm(),
    initVm({}, { hypVm: AT.guest, root: AT.tables }),
    initVcpu(0n, AT.guest),
    initVcpu(0n, AT.vcpu, AT.kvm),
    initVcpu(2n),
    initVcpu(0n),
    initVcpu(0n, AT.other, AT.hypOther),
    initVcpu(1n, AT.other, AT.hypOther),
    initVcpu(2n, AT.vcpu, AT.tables),
    call("__pkvm_host_unshare_hyp", [AT.vcpu]),
    start,
    finalize,
  ]),
  walk("pages are donated, shared, and come back", [
    donate(AT.guest, GFN),
    ...SHARED,
    reserve,
    initVm(),
    initVcpu(0n),
    load(0n),
    donate(AT.guest, GFN, [0x7f400n]),
    donate(0xf_ffff_ffff_ffffn, GFN, TABLES.slice(0, 2)),
    ...[0x1000_0000n, 0x9000n, 0x7f400n, AT.kvm].map((frame) => donate(frame, GFN)),
    donate(AT.guest, 0x1000_0000n),
    donate(AT.guest, 0xf_ffff_ffff_ffffn),
    donate(AT.guest, GFN),
    donate(AT.guest + 1n, GFN, TABLES.slice(2)),
    donate(AT.guest + 1n, GFN + 1n),
    donate(AT.guest + 2n, 0x200n),
    donate(AT.guest, GFN + 3n),
    reclaim(GFN),
    put,
    start,
    reclaim(0x1000_0000n),
    reclaim(GFN + 2n),
    reclaim(0x200n),
    reclaim(GFN),
    reclaim(GFN),
    reclaim(GFN + 1n),
    finalize,
  ]),
  walk("nothing is donated to a guest that is not protected", [
    ...SHARED,
    reserve,
    initVm({ isProtected: false }),
    initVcpu(0n),
    load(0n),
    donate(AT.guest, GFN, TABLES.slice(0, 2)),
    run(),
  ]),
];

const hvc = (...given: readonly (number | bigint)[]): Action => ({
  kind: "guest_hvc",
  cpu: 0,
  x: Array.from({ length: 18 }, (_, n) => BigInt(given[n] ?? 0)),
});

const vm = 0;
const vcpu = 0;
const asked = (
  kind: "kvm_psci_call" | "kvm_smccc_call_handler",
  ...given: readonly number[]
): Action => ({ kind, vm, vcpu, x: Array.from({ length: 4 }, (_, n) => BigInt(given[n] ?? 0)) });

const GUESTS: readonly Walk[] = [
  walk("a guest whose registers are the host's", [
    run(),
    ...GUEST,
    run(),
    ...[SMCCC.MEM_SHARE, SMCCC.MEM_UNSHARE].flatMap((id) => [
      hvc(id, IPA, 1),
      hvc(id, IPA, 0, 1),
      hvc(id, IPA + 1n),
      hvc(id, IPA + 0x1800n),
      hvc(id, 1n << 40n),
      hvc(id, 0xffff_ffff_ffff_f000n),
      hvc(id, IPA + 0x1000n),
      run([[VCPU.iflags, IFLAG.pendingAbort]]),
    ]),
    hvc(SMCCC.MEM_UNSHARE, IPA),
    hvc(SMCCC.MEM_SHARE, IPA),
    hvc(SMCCC.MEM_SHARE, IPA),
    hvc(SMCCC.MEM_UNSHARE, IPA + 0xfffn),
    hvc(SMCCC.MEM_UNSHARE, IPA),
    hvc(SMCCC.MEM_SHARE, IPA),
    hvc(SMCCC.VENDOR_HYP_FEATURES),
    hvc(SMCCC.HYP_MEMINFO),
    hvc(SMCCC.HYP_MEMINFO, 0, 0, 1),
    hvc(SMCCC.MEM_RELINQUISH, IPA),
    run([[VCPU.regs, 0xffff_ffff_ffff_ffffn]]),
    hvc(SMCCC.MMIO_GUARD_ENROLL),
    run(),
    hvc(PSCI.VERSION),
    run([], AT.other),
    {
      kind: "guest_abort",
      cpu: 0,
      esr: 0x9380_0046n,
      far: 0x900_1008n,
      ipa: 0x900_1000n,
      stored: 7n,
    },
    run([[VCPU.iflags, IFLAG.incrementPc]]),
    put,
    start,
    reclaim(GFN),
    finalize,
  ]),
  walk("what the host answers", [
    { kind: "KVM_CREATE_VM", vm, type: 0x8000_0000 },
    { kind: "KVM_CREATE_VCPU", vm, vcpu },
    { kind: "KVM_ARM_VCPU_INIT", vm, vcpu, features: 4 },
    asked("kvm_psci_call", PSCI.VERSION),
    asked("kvm_smccc_call_handler", SMCCC.VERSION),
    asked("kvm_smccc_call_handler", SMCCC.MEM_RELINQUISH),
    asked("kvm_smccc_call_handler", SMCCC.MMIO_GUARD_MAP),
    asked("kvm_psci_call", SMCCC.MMIO_GUARD_ENROLL),
  ]),
];

/** Every walk about VMs of mainline 7.3. */
export const MAINLINE_VM_WALKS: readonly Walk[] = [...LIVES, ...GUESTS];
