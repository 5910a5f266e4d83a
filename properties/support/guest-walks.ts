// Walks of guests and of the process that runs them: every refusal, and what is let in.

import { PSCI, SMCCC } from "../../spec/guest-calls.ts";
import type { Action } from "../../spec/types/action.ts";
import { pfn } from "../../spec/types/address.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { IFLAG, VCPU } from "../../spec/vm-layout.ts";
import {
  AT,
  call,
  HANDLE,
  initOther,
  initVcpu,
  initVm,
  kva,
  load,
  map,
  pa,
  put,
  SHARED,
} from "./vm-hypercalls.ts";
import type { Walk } from "./walks.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
];

const walk = (
  name: string,
  actions: readonly Action[],
  more: Partial<Pick<Walk, "breaks" | "firmwareBytes">> = {},
): Walk => ({
  name,
  why: "no example guest does this, or not in this order",
  system: SYSTEM,
  actions: [...UP, ...actions],
  breaks: [],
  ...more,
});

/** A word of the first vCPU's structure as the host left it. */
type Word = readonly [offset: bigint, value: bigint];

/** __kvm_vcpu_run of the first vCPU. */
const run = (...words: readonly Word[]): Action =>
  call(
    "__kvm_vcpu_run",
    [kva(AT.vcpu)],
    words.map(([offset, value]) => [pa(AT.vcpu) + offset, value]),
  );
const X0 = VCPU.regs;
const SKIP: Word = [VCPU.iflags, IFLAG.incrementPc];
const ABORT: Word = [VCPU.iflags, IFLAG.pendingAbort];

const hvc = (...given: readonly (number | bigint)[]): Action => ({
  kind: "guest_hvc",
  cpu: 0,
  x: Array.from({ length: 18 }, (_, n) => BigInt(given[n] ?? 0)),
});

const abort = (esr: bigint, ipa: bigint, far = ipa): Action => ({
  kind: "guest_abort",
  cpu: 0,
  esr,
  far,
  ipa: ipa & ~0xfffn,
  stored: 0x77n,
});
/** A store and a load of 8 bytes with a syndrome, a store without one, a fetch. */
const STORE = 0x9380_0046n;
const LOAD = 0x93c3_8006n;
const PAIR = 0x9200_0046n;
const FETCH = 0x8200_0006n;

const GFN = 0x80000n;
const IPA = GFN << 12n;
const TABLES = [AT.tables, AT.tables + 1n, AT.tables + 2n, AT.tables + 3n];

/** A protected guest with one page, on CPU 0, that has been entered. */
const GUEST: readonly Action[] = [
  ...SHARED,
  initVm(),
  initVcpu(HANDLE),
  initOther(HANDLE, { index: 1n, isOff: true }),
  load(HANDLE, 0n),
  run(),
  map(AT.guest, GFN, TABLES),
];

const MEMORY: readonly Walk[] = [
  walk(
    "a guest shares, takes back and gives back",
    [
      ...GUEST,
      ...[SMCCC.MEM_SHARE, SMCCC.MEM_UNSHARE, SMCCC.MEM_RELINQUISH].flatMap((id) => [
        hvc(id, IPA, 1),
        hvc(id, IPA, 0, 1),
        hvc(id, 1n << 40n),
        hvc(id, 0xffff_ffff_ffff_f000n),
        hvc(id, IPA + 0x1000n),
        run(ABORT),
      ]),
      hvc(SMCCC.MEM_UNSHARE, IPA),
      hvc(SMCCC.MEM_SHARE, IPA + 1n),
      run(),
      hvc(SMCCC.MEM_UNSHARE, IPA, 1),
      hvc(SMCCC.MEM_SHARE, IPA),
      hvc(SMCCC.MEM_RELINQUISH, IPA),
      hvc(SMCCC.MEM_UNSHARE, IPA + 0xfffn),
      run([X0, 5n]),
      hvc(SMCCC.MEM_RELINQUISH, IPA),
      run(),
      hvc(SMCCC.MEM_RELINQUISH, IPA),
      hvc(SMCCC.HYP_MEMINFO),
      hvc(SMCCC.HYP_MEMINFO, 1),
      hvc(SMCCC.MMIO_GUARD_INFO, 0, 0, 1),
      hvc(SMCCC.MMIO_GUARD_INFO),
    ],
    { breaks: ["GUEST-28"] },
  ),
  walk("a guest guards its devices", [
    ...GUEST,
    abort(STORE, 0x900_1008n),
    run(SKIP),
    abort(LOAD, 0x900_1008n),
    run(SKIP, [X0, 0x5an]),
    abort(LOAD, 0x8004_0000n),
    run(),
    hvc(SMCCC.MMIO_GUARD_MAP, 0x900_0000),
    hvc(SMCCC.MMIO_GUARD_UNMAP, 0x900_0000),
    hvc(SMCCC.MMIO_GUARD_ENROLL),
    hvc(SMCCC.MMIO_GUARD_MAP, 0x900_0008),
    hvc(SMCCC.MMIO_GUARD_MAP, 1n << 40n),
    hvc(SMCCC.MMIO_GUARD_MAP, IPA),
    hvc(SMCCC.MMIO_GUARD_MAP, IPA + 0x1000n),
    hvc(SMCCC.MMIO_GUARD_MAP, 0x900_0000),
    run(),
    abort(STORE, 0x900_1008n),
    run(ABORT),
    abort(STORE, IPA + 0x1008n),
    run(SKIP),
    abort(LOAD, IPA + 0x1ffcn),
    run(ABORT),
    abort(PAIR, IPA + 0x2000n),
    run(SKIP),
    abort(FETCH, IPA + 0x3000n),
    run(ABORT),
    abort(FETCH, IPA + 0x3000n),
    run(SKIP),
    hvc(SMCCC.MMIO_GUARD_MAP, IPA + 0x1000n),
    hvc(SMCCC.MMIO_GUARD_UNMAP, IPA + 0x1004n),
    hvc(SMCCC.MMIO_GUARD_UNMAP, IPA + 0x5000n),
    hvc(SMCCC.MMIO_GUARD_UNMAP, IPA),
    hvc(SMCCC.MMIO_GUARD_UNMAP, 1n << 41n),
    hvc(SMCCC.MMIO_GUARD_ENROLL),
  ]),
];

const POWER: readonly Walk[] = [
  walk("a guest turns a vCPU on, and the host will not have it, and then it will", [
    ...GUEST,
    hvc(PSCI.CPU_ON64, 1n << 40n),
    hvc(PSCI.CPU_ON64, 2),
    hvc(PSCI.CPU_ON, 0xf_0000_0000n),
    hvc(PSCI.CPU_ON64, 0),
    hvc(PSCI.AFFINITY_INFO64, 1),
    hvc(PSCI.CPU_ON64, 1, IPA, 7),
    hvc(PSCI.AFFINITY_INFO64, 1),
    hvc(PSCI.CPU_ON64, 1, IPA, 7),
    run([X0, 0xffff_ffff_ffff_fffen]),
    hvc(PSCI.CPU_ON, 1, IPA, 7),
    run([X0, 0n]),
    ...[1n << 40n, 9n, 0n].map((affinity) => hvc(PSCI.AFFINITY_INFO64, affinity)),
    hvc(PSCI.AFFINITY_INFO64, 0, 4),
    hvc(PSCI.AFFINITY_INFO, 0, 1),
    hvc(PSCI.FEATURES, PSCI.CPU_ON64),
    hvc(PSCI.FEATURES, PSCI.MIGRATE_INFO_TYPE),
    hvc(PSCI.VERSION),
    hvc(SMCCC.VERSION),
    hvc(SMCCC.VENDOR_HYP_UID),
    hvc(SMCCC.VENDOR_HYP_FEATURES),
    hvc(SMCCC.TRNG_VERSION),
    hvc(PSCI.SYSTEM_RESET2, 0, 0),
    run([X0, 3n]),
    hvc(PSCI.CPU_SUSPEND64),
    run([X0, 0n]),
    hvc(PSCI.SYSTEM_OFF),
    run(),
    hvc(PSCI.CPU_OFF),
    run(),
  ]),
  walk("who may run", [
    run(),
    ...SHARED,
    initVm(),
    initVcpu(HANDLE),
    initOther(HANDLE, { index: 1n, isOff: true }),
    run(),
    load(HANDLE, 1n),
    run(),
    call("__kvm_vcpu_run", [kva(AT.other)]),
    put(),
    load(HANDLE, 0n),
    call("__kvm_vcpu_run", [kva(AT.other)]),
    run(),
    run(),
  ]),
  walk(
    "a vCPU starts at the firmware, and another does not",
    [
      ...SHARED,
      initVm({ firmware: IPA }),
      initVcpu(HANDLE),
      initOther(HANDLE, { index: 1n, isOff: true }),
      load(HANDLE, 0n),
      run([X0, 1n], [X0 + 8n * 14n, 15n]),
      abort(STORE, 0x900_1000n),
      run(ABORT),
      hvc(PSCI.CPU_ON64, 1, IPA + 0x40n, 7),
      run(),
      put(),
      load(HANDLE, 1n),
      call("__kvm_vcpu_run", [kva(AT.other)]),
    ],
    { firmwareBytes: 0x10_0000 },
  ),
  walk("a guest that is not protected is the host's", [
    ...SHARED,
    initVm({ isProtected: false }),
    initVcpu(HANDLE),
    load(HANDLE, 0n),
    run(),
    hvc(SMCCC.MEM_SHARE, IPA),
    run(),
    abort(STORE, 0x900_0000n),
    run(SKIP),
  ]),
];

const vm = 0;
const vcpu = 0;
const INIT = { kind: "KVM_ARM_VCPU_INIT", vm, vcpu, features: 5 } as const;
const PC = { kind: "KVM_SET_ONE_REG", vm, vcpu, register: "pc", value: IPA } as const;
const memory = (gpa: bigint, bytes: bigint): Action => ({
  kind: "KVM_SET_USER_MEMORY_REGION",
  vm,
  gpa,
  bytes,
});
const hostCall = (
  kind: "kvm_psci_call" | "kvm_smccc_call_handler",
  ...given: readonly (number | bigint)[]
): Action => ({ kind, vm, vcpu, x: Array.from({ length: 4 }, (_, n) => BigInt(given[n] ?? 0)) });
const psci = (...given: readonly (number | bigint)[]) => hostCall("kvm_psci_call", ...given);
const smccc = (...given: readonly (number | bigint)[]) =>
  hostCall("kvm_smccc_call_handler", ...given);

const USER: readonly Walk[] = [
  walk("ioctls in every wrong order", [
    { kind: "KVM_CREATE_VCPU", vm, vcpu },
    INIT,
    PC,
    memory(IPA, 0x1000n),
    { kind: "KVM_RUN", vm, vcpu },
    { kind: "KVM_CREATE_VM", vm, type: 0x8000_0000 },
    INIT,
    PC,
    { kind: "KVM_RUN", vm, vcpu },
    { kind: "KVM_CREATE_VCPU", vm, vcpu: 512 },
    { kind: "KVM_CREATE_VCPU", vm, vcpu },
    { kind: "KVM_CREATE_VCPU", vm, vcpu },
    PC,
    { kind: "KVM_RUN", vm, vcpu },
    { ...INIT, features: 0x80 },
    INIT,
    INIT,
    { ...INIT, features: 0x80 },
    { ...INIT, features: 4 },
    PC,
    memory(IPA + 8n, 0x1000n),
    memory(IPA, 0n),
    memory(IPA, 0x2000n),
    memory(IPA + 0x1000n, 0x2000n),
    memory(1n << 40n, 0x1000n),
    { kind: "KVM_RUN", vm, vcpu },
    { kind: "pkvm_create_hyp_vm", vm, value: -12 },
    { kind: "pkvm_create_hyp_vm", vm, value: 0x1000 },
    { kind: "pkvm_mem_abort", vm, gfn: 0x80000, page: pfn(0x50030), value: -1 },
    { kind: "pkvm_mem_abort", vm, gfn: 0x80000, page: pfn(0x50030), value: 0 },
    { kind: "pkvm_mem_abort", vm, gfn: 0x80000, page: pfn(0x50031), value: 0 },
    { kind: "pkvm_host_reclaim_page", vm, ipa: IPA },
    { kind: "KVM_CHECK_EXTENSION", capability: 0 },
    { kind: "KVM_CHECK_EXTENSION", capability: 0xffba_dab1 },
  ]),
  walk(
    "a page that was given back by an address inside it",
    [
      { kind: "KVM_CREATE_VM", vm, type: 0x8000_0000 },
      { kind: "pkvm_host_reclaim_page", vm, ipa: IPA },
      { kind: "pkvm_mem_abort", vm, gfn: 0x80000, page: pfn(0x50030), value: 0 },
      { kind: "pkvm_host_reclaim_page", vm, ipa: IPA + 1n },
    ],
    { breaks: ["GUEST-29"] },
  ),
  walk("what the host answers", [
    { kind: "KVM_CREATE_VM", vm, type: 0 },
    { kind: "KVM_CREATE_VCPU", vm, vcpu },
    { kind: "KVM_CREATE_VCPU", vm, vcpu: 1 },
    { ...INIT, features: 4 },
    { ...INIT, vcpu: 1 },
    psci(PSCI.VERSION),
    psci(PSCI.MIGRATE_INFO_TYPE),
    psci(PSCI.FEATURES, PSCI.CPU_ON),
    ...[0n, 1n, 5n, 1n << 40n].map((affinity) => psci(PSCI.AFFINITY_INFO64, affinity)),
    psci(PSCI.AFFINITY_INFO64, 0, 4),
    ...[0n, 5n, 1n << 40n, 1n, 1n].map((affinity) => psci(PSCI.CPU_ON64, affinity, IPA)),
    ...[SMCCC.VERSION, SMCCC.VENDOR_HYP_UID, SMCCC.VENDOR_HYP_FEATURES].map((id) => smccc(id)),
    smccc(SMCCC.TRNG_VERSION),
    smccc(SMCCC.TRNG_FEATURES, SMCCC.TRNG_RND64),
    smccc(SMCCC.MEM_SHARE, IPA),
    smccc(SMCCC.MEM_RELINQUISH, IPA),
    smccc(SMCCC.MEM_RELINQUISH, IPA, 1),
    smccc(SMCCC.HYP_MEMINFO),
    smccc(SMCCC.HYP_MEMINFO, 1),
    psci(PSCI.SYSTEM_RESET2, 5),
    psci(PSCI.SYSTEM_RESET2, 0),
    psci(PSCI.SYSTEM_RESET),
    psci(PSCI.CPU_OFF),
    psci(PSCI.SYSTEM_OFF),
    psci(0x8400_0099),
    psci(PSCI.CPU_SUSPEND64),
  ]),
  walk("a guest that does not leave", [
    { kind: "guest_budget_spent", cpu: 0, where: "a guest at 0x80000000" },
  ]),
];

const SET_FIRMWARE = { kind: "KVM_SET_FW_IPA", vm, ipa: IPA } as const;

const FIRMWARE: readonly Walk[] = [
  walk(
    "the firmware of a VM is set before it runs, and not after",
    [
      { kind: "KVM_CREATE_VM", vm, type: 0x8000_0000 },
      SET_FIRMWARE,
      { kind: "pkvm_create_hyp_vm", vm, value: 0x1000 },
      SET_FIRMWARE,
      { kind: "KVM_CREATE_VM", vm: 1, type: 0 },
      { ...SET_FIRMWARE, vm: 1 },
    ],
    { firmwareBytes: 0x10_0000 },
  ),
  {
    ...walk("without KVM nothing is known of it", []),
    actions: [
      { kind: "parse_early_param", commandLine: "kvm-arm.mode=none" },
      { kind: "KVM_CHECK_EXTENSION", capability: 0 },
    ],
  },
];

/** Every walk about guests. */
export const GUEST_WALKS: readonly Walk[] = [...MEMORY, ...POWER, ...USER, ...FIRMWARE];
