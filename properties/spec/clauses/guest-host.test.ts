// The clauses about the host's KVM and its guests, each on steps made by hand.

import { GUEST_HOST_CALLS } from "../../../spec/clauses/guest-host-calls.ts";
import { GUEST_IOCTLS } from "../../../spec/clauses/guest-ioctls.ts";
import { PSCI, SMCCC } from "../../../spec/guest-calls.ts";
import type { Action } from "../../../spec/types/action.ts";
import { pfn } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import {
  answering,
  type Case,
  DEPRIVILEGED,
  like,
  returned,
  step,
  takesPage,
  tryClauses,
  vmLike,
} from "../tried.ts";
import { changing, telling, told } from "./guest-state.ts";

const vm = 0;
const vcpu = 0;
const withVm = (change: Parameters<typeof vmLike>[0] = {}): Hyp =>
  like(DEPRIVILEGED, (h) => {
    h.vms.set(vm, vmLike(change));
  });
const stateOf = (features: number | undefined, stopped = false) =>
  new Map([[vcpu, { features, stopped }]]);
const MADE = withVm();
const RAW = withVm({ vcpus: stateOf(undefined) });
const READY = withVm({ vcpus: stateOf(4), slots: [{ gpa: 0x8000_0000n, bytes: 0x20_0000n }] });
const KEEPS = withVm({ pinned: new Map([[0x80000, pfn(0x50030)]]) });

const create = (n: number) => ({ kind: "KVM_CREATE_VCPU", vm, vcpu: n }) as const;
const init = (features: number) => ({ kind: "KVM_ARM_VCPU_INIT", vm, vcpu, features }) as const;
const pc = { kind: "KVM_SET_ONE_REG", vm, vcpu, register: "pc", value: 1n } as const;
const run = { kind: "KVM_RUN", vm, vcpu } as const;
const memory = (gpa: bigint, bytes: bigint) =>
  ({ kind: "KVM_SET_USER_MEMORY_REGION", vm, gpa, bytes }) as const;
const fault = (value: number) =>
  ({ kind: "pkvm_mem_abort", vm, gfn: 0x80000, page: pfn(0x50031), value }) as const;
const reclaim = (ipa: bigint) => ({ kind: "pkvm_host_reclaim_page", vm, ipa }) as const;

const refusing = (pre: Hyp, action: Action, errno: number): Case => [
  step(pre, action, returned(errno)),
  step(pre, action, returned(0)),
  step(pre, action, returned(errno), takesPage),
];
const pins = changing(MADE, fault(0), returned(0), (h) => {
  h.vms.get(vm)?.pinned.set(0x80000, pfn(0x50031));
});

const ioctls: Record<string, Case> = {
  "GUEST-1": refusing(MADE, run, -9),
  "GUEST-2": refusing(RAW, run, -8),
  "GUEST-3": refusing(MADE, create(512), -22),
  "GUEST-4": refusing(RAW, create(0), -17),
  "GUEST-5": refusing(RAW, init(0x80), -2),
  "GUEST-6": refusing(READY, init(5), -22),
  "GUEST-7": refusing(MADE, memory(8n, 4096n), -22),
  "GUEST-8": refusing(READY, memory(0x8010_0000n, 0x20_0000n), -17),
  "GUEST-9": refusing(MADE, memory(1n << 40n, 4096n), -14),
  "GUEST-13": refusing(MADE, fault(-1), -1),
  "GUEST-14": refusing(KEEPS, fault(0), -17),
  "GUEST-15": refusing(KEEPS, reclaim(0x8000_0001n), -2),
  "GUEST-16": changing(MADE, create(0), returned(0), (h) => {
    h.vms.get(vm)?.vcpus.set(0, { features: undefined, stopped: false });
  }),
  "GUEST-17": refusing(DEPRIVILEGED, { kind: "KVM_CHECK_EXTENSION", capability: 0 }, 1),
  "GUEST-18": [
    step(READY, pc, returned(0)),
    step(READY, pc, returned(-1)),
    step(READY, run, returned(0), takesPage),
  ],
  "GUEST-19": pins,
  "GUEST-29": [
    step(KEEPS, reclaim(0x8000_0000n), returned(0)),
    step(KEEPS, reclaim(0x8000_0001n), returned(-2)),
  ],
};

tryClauses(GUEST_IOCTLS, ioctls);

const call = (
  kind: "kvm_psci_call" | "kvm_smccc_call_handler",
  ...x: readonly number[]
): Action => ({
  kind,
  vm,
  vcpu,
  x: [0, 1, 2, 3].map((n) => BigInt(x[n] ?? 0)),
});
const event = (type: number, data: bigint): Outcome => ({
  kind: "user",
  event: { type, data: [data] },
});
const SLEEPS = withVm({ vcpus: stateOf(5, true) });
const stops = changing(READY, call("kvm_psci_call", PSCI.SYSTEM_OFF), event(1, 0n), (h) => {
  h.vms.get(vm)?.vcpus.set(0, { features: 4, stopped: true });
});
const wakes = changing(SLEEPS, call("kvm_psci_call", PSCI.CPU_ON64, 0), told(0n), (h) => {
  h.vms.get(vm)?.vcpus.set(0, { features: 5, stopped: false });
});

const calls: Record<string, Case> = {
  "GUEST-53": [stops[0], ...stops.slice(1), answering(stops[0], event(2, 0n))] as unknown as Case,
  "GUEST-54": [wakes[0], wakes[1], answering(wakes[0], told(-4n))],
  "GUEST-55": telling(READY, call("kvm_psci_call", PSCI.MIGRATE_INFO_TYPE), 2n),
  "GUEST-56": telling(READY, call("kvm_smccc_call_handler", SMCCC.HYP_MEMINFO, 1), -3n),
  "GUEST-57": telling(
    { ...READY, config: { ...READY.config, branch: "mainline-7.3" } },
    call("kvm_smccc_call_handler", SMCCC.MEM_RELINQUISH, 1),
    -1n,
  ),
};

tryClauses(GUEST_HOST_CALLS, calls);
