// Walks through the lives of VMs: every refusal of every hypercall, and what is let in.

import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { KVM_MAX_PVMS } from "../../spec/types/hyp-vm.ts";
import {
  AT,
  call,
  finalize,
  HANDLE,
  initOther,
  initVcpu,
  initVm,
  kva,
  load,
  map,
  put,
  reclaim,
  SHARED,
  share,
  start,
  unshare,
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
  why: "no boot of an example module makes a VM by hypercalls",
  system: SYSTEM,
  actions: [...UP, ...actions],
  breaks: [],
  ...more,
});

/** A VM with two vCPUs, the first of them loaded on CPU 0. */
const RUNNING: readonly Action[] = [
  ...SHARED,
  initVm(),
  initVcpu(HANDLE),
  initOther(HANDLE),
  load(HANDLE, 0n),
];
const LENDING: readonly Action[] = [
  ...SHARED,
  initVm({ isProtected: false }),
  initVcpu(HANDLE),
  load(HANDLE, 0n),
];
const TABLES = [AT.tables, AT.tables + 1n, AT.tables + 2n, AT.tables + 3n];
const GFN = 0x80000n;
const IPA = GFN << 12n;
const ODD_GFNS = [0x10000000n, 0xf_ffff_ffff_ffffn, GFN + (1n << 52n)];

const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});

const BIRTHS: readonly Walk[] = [
  walk("VMs are made of bad memory", [
    initVm(),
    share(AT.kvm),
    initVm({ vcpus: 0n }),
    call("__pkvm_init_vm", [kva(AT.kvm), kva(AT.hypVm), kva(AT.root), kva(AT.lastRan)]),
    initVm({}, { root: AT.root + 1n }),
    initVm({}, { hypVm: 0x7f400n }),
    initVm({}, { hypVm: AT.kvm }),
    initVm({ vcpus: 0xffff_ffffn }),
    initVm({}, { lastRan: AT.hypVm }),
    initVm({}, { root: AT.hypVm }),
    initVm({}, { hypVm: AT.root }),
    initVm(),
    initVm(),
    unshare(AT.kvm),
  ]),
  walk("a VM whose memory is not whole pages", [
    share(AT.kvm),
    { ...initVm(), x: initVm().x.with(2, kva(AT.hypVm) + 8n) },
    { ...initVm(), x: initVm().x.with(4, kva(AT.lastRan) + 8n) },
  ]),
  walk("a struct kvm that lies in two pages", [
    share(AT.kvm),
    { ...initVm(), x: initVm().x.with(1, kva(AT.kvm) + 0x800n) },
  ]),
  walk("all handles are taken", [
    share(AT.kvm),
    ...Array.from({ length: KVM_MAX_PVMS + 1 }, (_, n) => {
      const first = 0x51000n + 8n * BigInt(n);
      return initVm({}, { hypVm: first, lastRan: first + 2n, root: first + 4n });
    }),
  ]),
  walk("vCPUs are made of bad memory, out of order, and too many", [
    ...SHARED,
    initVcpu(HANDLE),
    initVm({ vcpus: 1n }),
    initVcpu(0n),
    initVcpu(0xffff_ffffn),
    initVcpu(HANDLE, {}, { host: AT.vcpu, own: AT.kvm }),
    initVcpu(HANDLE, {}, { host: AT.guest, own: AT.hypVcpu }),
    initVcpu(HANDLE, {}, { host: AT.vcpu + 1n, own: AT.hypVcpu }),
    initVcpu(HANDLE, { index: 1n }),
    initVcpu(HANDLE + (1n << 32n)),
    initOther(HANDLE),
    unshare(AT.vcpu),
  ]),
  walk("two vCPUs start in the firmware, and one is off", [
    ...SHARED,
    initVm({ firmware: 0n, vcpus: 3n }),
    initVcpu(HANDLE, { pc: 0x8000_0000n }),
    initOther(HANDLE),
    initOther(HANDLE, { index: 1n, isOff: true }),
    unshare(AT.other),
  ]),
  walk("a VM without protection has no firmware", [
    ...SHARED,
    initVm({ firmware: 0n, isProtected: false }),
    initVcpu(HANDLE),
    initOther(HANDLE),
  ]),
];

const LOADS: readonly Walk[] = [
  walk("vCPUs are loaded and put", [
    load(HANDLE, 0n),
    ...RUNNING,
    load(HANDLE, 1n),
    load(HANDLE, 0n, 1),
    load(HANDLE, 2n, 1),
    load(HANDLE, 1n, 1),
    put(1),
    put(1),
    load(HANDLE + 1n, 0n, 1),
    load(0n, 0n, 1),
    call("__pkvm_vcpu_sync_state", []),
    put(),
    start(HANDLE),
    load(HANDLE, 0n),
    put(),
  ]),
];

const MAPS: readonly Walk[] = [
  walk("pages come to a protected guest", [
    map(AT.guest, GFN, TABLES.slice(0, 2)),
    ...RUNNING,
    ...ODD_GFNS.map((gfn) => map(AT.guest, gfn)),
    map(AT.guest, GFN, TABLES.slice(0, 1)),
    map(AT.guest, GFN, [0x7f400n]),
    map(AT.guest, GFN, [0x9000n, 0x9001n]),
    ...[0xf_ffff_ffff_ffffn, 0x1000_0000n, 0x9000n, 0x7f400n, AT.kvm, AT.root].map((frame) =>
      map(frame, GFN, TABLES.slice(1, 3)),
    ),
    ...ODD_GFNS.slice(0, 2).map((gfn) => map(AT.guest, gfn)),
    map(AT.guest, GFN),
    map(AT.guest, GFN),
    map(AT.guest + 1n, GFN, TABLES.slice(2)),
    map(AT.guest, GFN + 1n),
    map(AT.guest + 1n + (1n << 52n), GFN + 1n),
    map(AT.guest + 2n, 0xfff_ffffn, TABLES.slice(2)),
    share(AT.guest),
    unshare(AT.guest),
    load(HANDLE, 1n, 1),
    map(AT.guest + 3n, GFN + 2n, [AT.tables + 8n, AT.tables + 9n], { cpu: 1, host: AT.other }),
    put(1),
    put(),
    reclaim(HANDLE, AT.guest, IPA),
    finalize(HANDLE),
    start(HANDLE),
    start(HANDLE),
    reclaim(HANDLE, AT.guest, IPA + 0x1000n),
    reclaim(HANDLE, AT.guest, 1n << 40n),
    reclaim(HANDLE, AT.guest, 0x4000_0000n),
    reclaim(HANDLE, AT.guest, IPA),
    reclaim(HANDLE, AT.guest, IPA),
    reclaim(HANDLE, AT.guest + 1n, IPA + 0x1000n),
    finalize(HANDLE),
    finalize(HANDLE),
    start(HANDLE),
    unshare(AT.vcpu),
    initVm(),
    initVm({}, { root: AT.hypVcpu }),
  ]),
  walk("tables come back with the last page below them", [
    ...RUNNING,
    map(AT.guest, 0x200n, TABLES.slice(0, 2)),
    map(AT.guest + 1n, 0x400n, TABLES.slice(2)),
    map(AT.guest + 2n, 0x40000n, [AT.tables + 4n, AT.tables + 5n]),
    put(),
    start(HANDLE),
    reclaim(HANDLE, AT.guest, 0x20_0000n),
    reclaim(HANDLE, AT.guest + 1n, 0x40_0000n),
    reclaim(HANDLE, AT.guest + 2n, 0x4000_0000n),
    finalize(HANDLE),
  ]),
  walk("pages are lent to a guest that is not protected", [
    ...LENDING,
    ...ODD_GFNS.map((gfn) => map(AT.guest, gfn)),
    ...[0xf_ffff_ffff_ffffn, 0x1000_0000n, 0x9000n, 0x7f400n].map((frame) =>
      map(frame, GFN, TABLES.slice(0, 2)),
    ),
    ...ODD_GFNS.slice(0, 2).map((gfn) => map(AT.guest, gfn)),
    map(AT.guest, GFN),
    map(AT.guest, GFN + 1n),
    map(AT.guest + 1n, GFN, TABLES.slice(2)),
    share(AT.guest),
    unshare(AT.guest),
    map(AT.guest + 1n, GFN + 1n),
    put(),
    start(HANDLE),
    reclaim(HANDLE, AT.guest, IPA),
    finalize(HANDLE),
  ]),
  walk("a lent page is unshared by an op", [
    ...LENDING,
    map(AT.guest, GFN, TABLES.slice(0, 2)),
    op("host_unshare_hyp", AT.guest),
  ]),
  ...[0x8000_0000n, 0x8000_0800n].map((firmware) =>
    walk(
      `the firmware is mapped at 0x${firmware.toString(16)}`,
      [
        ...SHARED,
        initVm({ firmware }),
        initVcpu(HANDLE),
        load(HANDLE, 0n),
        map(AT.guest, GFN - 1n, TABLES.slice(0, 2)),
        map(AT.guest + 1n, GFN + 1n, TABLES.slice(2)),
        map(AT.guest + 2n, GFN, TABLES.slice(2)),
      ],
      { firmwareBytes: 0x2000 },
    ),
  ),
];

const ENDS: readonly Walk[] = [
  walk("the teardown of what is not there, or is loaded", [
    start(0n),
    finalize(0n),
    reclaim(0n, AT.guest, IPA),
    ...RUNNING,
    finalize(HANDLE),
    start(HANDLE),
  ]),
  walk("a module gives away the memory of a VM", [
    ...RUNNING,
    put(),
    start(HANDLE),
    op("hyp_donate_host", AT.hypVm, 1n),
    finalize(HANDLE),
  ]),
];

const FIRMWARES: readonly Walk[] = [
  walk(
    "a firmware for VMs of both kinds",
    [0, 0x8000_0000].flatMap((type, vm): Action[] => [
      { kind: "KVM_CREATE_VM", vm, type },
      { kind: "KVM_SET_FW_IPA", vm, ipa: 0x8000_0000n },
    ]),
    { firmwareBytes: 0x1000 },
  ),
];

const UNCONFIGURED: readonly Walk[] = [
  walk("what the kernel is built without is asked all the same", [
    ...[
      "__pkvm_iommu_pm_notify",
      "__pkvm_load_tracing",
      "__pkvm_teardown_tracing",
      "__pkvm_enable_tracing",
      "__pkvm_rb_swap_reader_page",
      "__pkvm_rb_update_footers",
      "__pkvm_enable_event",
      "__pkvm_iommu_register",
      "__pkvm_iommu_driver_init",
      "__pkvm_iommu_finalize",
      "__pkvm_iommu_finalize",
      "__pkvm_iommu_register",
      "__pkvm_iommu_driver_init",
      "__vgic_v3_save_vmcr_aprs",
      "__vgic_v3_restore_vmcr_aprs",
      "__kvm_timer_set_cntvoff",
      "__kvm_adjust_pc",
      "__kvm_enable_ssbs",
      "__vgic_v3_init_lrs",
      "__kvm_flush_vm_context",
    ].map((name) => call(name, [0n])),
  ]),
];

/** Every walk about VMs. */
export const VM_WALKS: readonly Walk[] = [
  ...BIRTHS,
  ...LOADS,
  ...MAPS,
  ...ENDS,
  ...FIRMWARES,
  ...UNCONFIGURED,
];
