// The clauses about VMs and vCPUs that come to be, and which vCPU is loaded, on steps made by hand.

import { describe } from "vitest";
import { UNCONFIGURED } from "../../../spec/clauses/unconfigured.ts";
import { VM_INIT } from "../../../spec/clauses/vm-init.ts";
import { VM_INTENT } from "../../../spec/clauses/vm-intent.ts";
import { VM_LOAD } from "../../../spec/clauses/vm-load.ts";
import type { Hvc } from "../../../spec/types/action.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import { KVM_MAX_PVMS } from "../../../spec/types/hyp-vm.ts";
import { AT, call, initOther, initVcpu, initVm, load, put } from "../../support/vm-hypercalls.ts";
import {
  answered,
  answering,
  type Case,
  type Change,
  DONE,
  leaving,
  like,
  setsKey,
  step,
  tryClauses,
} from "../tried.ts";
import {
  both,
  done,
  EMPTY_VM,
  frame,
  HANDLE,
  HOST,
  KVM_PAGE,
  LAST_RAN,
  loads,
  owns,
  pins,
  ROOT,
  refused,
  setsVm,
  taken,
  telling,
  VCPU,
  VCPU_MEMORY,
  VCPU_PAGES,
  VM_MEMORY,
  wiped,
  withVcpu,
  withVm,
  zeroed,
} from "../vm-states.ts";

/** 4448 bytes, and a pointer for each of two vCPUs; an int for each of two CPUs. */
const VM_BYTES = 4464;
const LAST_RAN_BYTES = 8;
const VCPU_BYTES = 9152;
const ROOT_BYTES = 8192;
const H = BigInt(HANDLE);

const MADE = [
  ...taken(VM_MEMORY),
  ...zeroed(VM_MEMORY, VM_BYTES),
  ...taken([LAST_RAN]),
  ...zeroed([LAST_RAN], LAST_RAN_BYTES),
  ...taken(ROOT),
  ...zeroed(ROOT, ROOT_BYTES),
];
const makes = both(setsVm(EMPTY_VM), owns(...VM_MEMORY, LAST_RAN, ...ROOT), pins(1, KVM_PAGE));

/** Every handle is taken, by VMs that lie anywhere. */
const FULL = like(
  HOST,
  both(...Array.from({ length: KVM_MAX_PVMS }, (_, n) => setsVm(EMPTY_VM, HANDLE + n))),
);
const FIRMWARE = { pvmfwLoadAddr: 0x8000_0000n };

describe("VMs and vCPUs come to be", () => {
  tryClauses(VM_INIT, {
    "VM-15": refused(
      like(HOST, (h) => h.pages.delete(KVM_PAGE)),
      initVm(),
      -1,
    ),
    "VM-16": refused(HOST, initVm({ vcpus: 1n << 32n }), -22),
    "VM-17": refused(HOST, initVm({}, { root: AT.root + 1n }), 0),
    "VM-18": refused(HOST, initVm({}, { hypVm: AT.kvm }), -12),
    "VM-19": wiped(HOST, initVm({}, { lastRan: AT.hypVm }), -12, [VM_MEMORY, VM_BYTES]),
    "VM-20": wiped(
      HOST,
      initVm({}, { root: AT.hypVm }),
      -12,
      [VM_MEMORY, VM_BYTES],
      [[LAST_RAN], LAST_RAN_BYTES],
    ),
    "VM-21": wiped(
      FULL,
      initVm(),
      -12,
      [VM_MEMORY, VM_BYTES],
      [[LAST_RAN], LAST_RAN_BYTES],
      [ROOT, ROOT_BYTES],
    ),
    "VM-22": [
      ...done(HOST, initVm(), telling(MADE, HANDLE), makes, telling(MADE, HANDLE + 1)),
      step(HOST, initVm(), answered(HANDLE), makes),
      step(HOST, initVm(), telling(MADE, HANDLE), both(makes, pins(-1, KVM_PAGE))),
      step(
        HOST,
        initVm(),
        telling(MADE, HANDLE),
        both(makes, setsVm({ ...EMPTY_VM, isProtected: false })),
      ),
    ],
    "VM-23": refused(withVm(), initVcpu(H, {}, { host: AT.vcpu, own: AT.kvm }), -12),
    "VM-24": wiped(HOST, initVcpu(H), -2, [VCPU_MEMORY, VCPU_BYTES]),
    "VM-25": wiped(withVm({ createdVcpus: 0 }), initVcpu(H), -22, [VCPU_MEMORY, VCPU_BYTES]),
    "VM-26": wiped(withVm(), initVcpu(H, {}, { host: AT.vcpu + 1n, own: AT.hypVcpu }), -16, [
      VCPU_MEMORY,
      VCPU_BYTES,
    ]),
    "VM-27": wiped(withVm(), initVcpu(H, { index: 1n }), -22, [VCPU_MEMORY, VCPU_BYTES]),
    "VM-28": wiped(withVcpu({ ...FIRMWARE, primaryVcpu: 0 }), initOther(H), -22, [
      [0n, 1n, 2n].map((n) => frame(AT.hypOther + n)),
      VCPU_BYTES,
    ]),
    "VM-29": [
      ...done(
        withVm(),
        initVcpu(H),
        telling([...taken(VCPU_MEMORY), ...zeroed(VCPU_MEMORY, VCPU_BYTES)], 0),
        both(setsVm({ ...EMPTY_VM, vcpus: [VCPU] }), owns(...VCPU_MEMORY), pins(1, ...VCPU_PAGES)),
        answered(0),
      ),
      step(
        withVm(),
        initVcpu(H),
        telling([...taken(VCPU_MEMORY), ...zeroed(VCPU_MEMORY, VCPU_BYTES)], 0),
        both(
          setsVm({ ...EMPTY_VM, vcpus: [{ ...VCPU, power: "ON" }] }),
          owns(...VCPU_MEMORY),
          pins(1, ...VCPU_PAGES),
        ),
      ),
    ],
  });
});

describe("what the calls for VMs and vCPUs are for", () => {
  const made = step(HOST, initVm(), telling(MADE, HANDLE), makes);
  const late = step(HOST, initVm({}, { root: AT.hypVm }), answered(-12));
  const vcpu = step(HOST, initVcpu(H), answered(-2));
  tryClauses(VM_INTENT, {
    "VM-87": [
      made,
      answering(made, telling(MADE, HANDLE + 1)),
      step(HOST, initVm({}, { root: AT.root + 1n }), answered(0)),
      step(withVm(), initVm(), answered(HANDLE)),
    ],
    "VM-88": [
      late,
      answering(late, telling([...taken(VM_MEMORY), ...zeroed(VM_MEMORY, VM_BYTES)], -12)),
      answering(vcpu, telling(zeroed(VCPU_MEMORY, VCPU_BYTES), -2)),
      answering(
        vcpu,
        telling([{ kind: "store", address: BigInt(LAST_RAN) << 12n, value: 0n }], -2),
      ),
      answering(vcpu, telling([{ kind: "copy", from: KVM_PAGE, to: LAST_RAN }], -2)),
    ],
  });
});

/** A call that shows nothing and does nothing. */
const silent = (pre: Hyp, action: Hvc): Case => {
  const good = step(pre, action, DONE);
  return [good, answering(good, answered(-22)), leaving(good, loads(1, 7))];
};
/** A call that shows nothing, and leaves a CPU with this. */
const silently = (pre: Hyp, action: Hvc, change: Change): Case => {
  const good = step(pre, action, DONE, change);
  return [
    good,
    answering(good, answered(0)),
    { ...good, post: pre },
    leaving(good, loads(1, 7)),
    leaving(good, (h) => h.vmTable.clear()),
  ];
};

const LOADED = like(withVcpu(), loads(0, 0));

describe("vCPUs are loaded", () => {
  tryClauses(VM_LOAD, {
    "VM-30": silent(LOADED, load(H, 0n)),
    "VM-31": silent(withVcpu(), load(H + 1n, 0n)),
    "VM-32": silent(withVcpu({ isDying: true }), load(H, 0n)),
    "VM-33": silent(withVcpu(), load(H, 1n)),
    "VM-34": silent(LOADED, load(H, 0n, 1)),
    "VM-35": silently(withVcpu(), load(H + (1n << 32n), 1n << 32n), loads(0, 0)),
    "VM-36": silently(LOADED, put(), loads(0, undefined)),
    "VM-37": silent(LOADED, call("__pkvm_vcpu_sync_state", [])),
  });
});

const CLOSED = like(HOST, (h) => {
  h.boot.iommuClosed = true;
});
const finalizeIommu = call("__pkvm_iommu_finalize", [0n]);

describe("what the kernel is built without", () => {
  tryClauses(UNCONFIGURED, {
    "VM-80": refused(CLOSED, finalizeIommu, -1),
    "VM-81": [
      step(HOST, finalizeIommu, answered(0), (h) => {
        h.boot.iommuClosed = true;
      }),
      step(HOST, finalizeIommu, answered(0)),
      step(HOST, finalizeIommu, answered(-1), (h) => {
        h.boot.iommuClosed = true;
      }),
      step(HOST, finalizeIommu, answered(0), (h) => {
        h.boot.iommuClosed = true;
        setsKey(h);
      }),
    ],
    "VM-85": refused(CLOSED, call("__pkvm_iommu_register", [0n, 0n]), -1),
    "VM-86": refused(HOST, call("__pkvm_iommu_register", [0n, 0n]), -2),
    "VM-82": refused(HOST, call("__pkvm_enable_tracing", [1n]), -19),
    "VM-83": refused(HOST, call("__pkvm_teardown_tracing", []), 0),
    "VM-84": silent(HOST, call("__kvm_timer_set_cntvoff", [1n])),
  });
});
