// The calls of guests that reach the host's KVM, and what it answers.

import { vmsOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { AFFINITY_BITS, affinityMask, affinityOf, PSCI, SMCCC } from "../guest-calls.ts";
import { cite, type Source } from "../sources.ts";
import type { KvmPsciCall, KvmSmcccCall } from "../types/guest-action.ts";
import type { HostVcpu } from "../types/vm.ts";
import { onlyVm, tells } from "./guest-view.ts";
import { all, changesNothing, changesOnly, ensure, equal, spell } from "./phrases.ts";

const host = (at: string): Source => cite("android14-6.1", `${at}, arch/arm64/kvm/psci.c`);

const INVALID_PARAMETERS = -2n;

/** An argument: 32 bits of the register where the call is a 32-bit one. */
const narrowed = (id: number, value: bigint): bigint =>
  id < 0xc000_0000 ? BigInt.asUintN(32, value) : value;
const isAffinity = (affinity: bigint): boolean => (affinity & ~AFFINITY_BITS) === 0n;

type HostStep = Step<KvmPsciCall | KvmSmcccCall>;
const hostId = ({ action }: HostStep): number => Number(BigInt.asUintN(32, action.x[0] ?? 0n));
const hostVcpus = ({ pre, action }: HostStep): readonly (readonly [number, HostVcpu])[] => [
  ...(pre.vms.get(action.vm)?.vcpus ?? []),
];
const hostArg = (step: HostStep, n: number): bigint =>
  narrowed(hostId(step), step.action.x[n] ?? 0n);

/** What the host answers a guest that is not protected. Source: measured, npvm. */
const HOST_FIXED = new Map<number, readonly bigint[]>([
  [SMCCC.VERSION, [0x1_0001n]],
  [SMCCC.VENDOR_HYP_UID, [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn]],
  [SMCCC.TRNG_VERSION, [0x1_0000n]],
]);

/** The same, with the features of the branch; undefined: it depends on more. */
function hostFixed(step: HostStep): readonly bigint[] | undefined {
  const { hostFeatures } = vmsOf(step.pre.config);
  if (hostId(step) !== SMCCC.VENDOR_HYP_FEATURES) return HOST_FIXED.get(hostId(step));
  return hostFeatures === undefined ? undefined : [BigInt(hostFeatures)];
}

const RESETS: readonly number[] = [PSCI.SYSTEM_RESET2, PSCI.SYSTEM_RESET2_64];
const isReset2 = (step: HostStep): boolean =>
  RESETS.includes(hostId(step)) && (hostArg(step, 1) === 0n || hostArg(step, 1) >= 1n << 31n);

/** The number and the data of the system event that a call is for; none: it is for none. */
function systemEvent(step: HostStep): { readonly type: number; readonly data: bigint } | undefined {
  if (hostId(step) === PSCI.SYSTEM_OFF) return { type: 1, data: 0n };
  if (hostId(step) === PSCI.SYSTEM_RESET) return { type: 2, data: 0n };
  return isReset2(step) ? { type: 2, data: 1n } : undefined;
}

/** What CPU_ON of the host answers. Source: kvm_psci_vcpu_on, arch/arm64/kvm/psci.c. */
function hostTurnsOn(step: HostStep): { readonly x0: bigint; readonly woken?: number } {
  const found = hostVcpus(step).find(([n]) => affinityOf(n) === hostArg(step, 1));
  if (found === undefined) return { x0: INVALID_PARAMETERS };
  return found[1].stopped ? { x0: 0n, woken: found[0] } : { x0: -4n };
}

/** What AFFINITY_INFO of the host answers. Source: kvm_psci_vcpu_affinity_info. */
function hostAffinity(step: HostStep): bigint {
  const mask = affinityMask(hostArg(step, 2));
  if (!isAffinity(hostArg(step, 1)) || mask === 0n) return INVALID_PARAMETERS;
  const found = hostVcpus(step).filter(
    ([n]) => (affinityOf(n) & mask) === (hostArg(step, 1) & mask),
  );
  if (found.length === 0) return INVALID_PARAMETERS;
  return found.some(([, { stopped }]) => !stopped) ? 0n : 1n;
}

const is =
  (...ids: readonly number[]) =>
  (step: HostStep): boolean =>
    ids.includes(hostId(step));

export const GUEST_HOST_CALLS: readonly StepClause[] = [
  clause({
    id: "GUEST-53",
    kind: "kernel",
    statement: "SYSTEM_OFF and the resets end KVM_RUN, and every vCPU stops.",
    source: [host("kvm_prepare_system_event"), cite("measured", "pvm-peek: event 1, data 0")],
    on: ["kvm_psci_call"],
    applies: (step) => systemEvent(step) !== undefined,
    holds: (step) => {
      const { type, data } = systemEvent(step) ?? { type: 0, data: 0n };
      const stopped = hostVcpus(step).map(([n, vcpu]) => [n, { ...vcpu, stopped: true }] as const);
      return all(
        ensure(
          equal(step.outcome, { kind: "user", event: { type, data: [data] } }),
          `no system event ${type}: ${spell(step.outcome)}`,
        ),
        onlyVm(step, { vcpus: new Map(stopped) }),
        changesOnly(step, "vms"),
      );
    },
  }),
  clause({
    id: "GUEST-54",
    kind: "kernel",
    statement: "CPU_ON wakes a vCPU of the host's that is stopped, and no other.",
    source: [host("kvm_psci_vcpu_on")],
    on: ["kvm_psci_call"],
    applies: is(PSCI.CPU_ON, PSCI.CPU_ON64),
    holds: (step) => {
      const { x0, woken } = hostTurnsOn(step);
      const vcpus_ = new Map(hostVcpus(step));
      const sleeper = woken === undefined ? undefined : vcpus_.get(woken);
      if (woken !== undefined && sleeper) vcpus_.set(woken, { ...sleeper, stopped: false });
      return all(tells(step.outcome, x0), onlyVm(step, { vcpus: vcpus_ }));
    },
  }),
  clause({
    id: "GUEST-55",
    kind: "kernel",
    statement: "The host answers what it is asked about itself, and changes nothing for it.",
    source: [
      host("kvm_psci_1_x_call, kvm_psci_0_2_call"),
      cite("android14-6.1", "kvm_hvc_call_handler, arch/arm64/kvm/hypercalls.c"),
      cite("measured", "npvm: 0x207, 0x10001, MIGRATE_INFO_TYPE 2, TRNG 0x10000"),
    ],
    on: ["kvm_psci_call", "kvm_smccc_call_handler"],
    applies: (step) =>
      is(PSCI.VERSION, PSCI.MIGRATE_INFO_TYPE, PSCI.AFFINITY_INFO, PSCI.AFFINITY_INFO64)(step) ||
      hostFixed(step) !== undefined,
    holds: (step) => {
      const id = hostId(step);
      const { hostPsci } = vmsOf(step.pre.config);
      if (id === PSCI.VERSION) {
        return all(tells(step.outcome, BigInt(hostPsci)), changesNothing(step));
      }
      if (id === PSCI.MIGRATE_INFO_TYPE) {
        return all(tells(step.outcome, 2n), changesNothing(step));
      }
      const told = hostFixed(step) ?? [hostAffinity(step)];
      return all(tells(step.outcome, ...told), changesNothing(step));
    },
  }),
  clause({
    id: "GUEST-56",
    kind: "kernel",
    statement:
      "To android14, giving back memory is nothing, and sharing it is for protected guests.",
    source: [
      cite("android14-6.1", "kvm_hvc_call_handler, arch/arm64/kvm/hypercalls.c"),
      cite(
        "measured",
        "npvm: MEM_SHARE -1, MEM_RELINQUISH 0, -3 with an argument that is reserved",
      ),
    ],
    branches: ["android14-6.1"],
    on: ["kvm_smccc_call_handler"],
    applies: is(SMCCC.MEM_SHARE, SMCCC.MEM_UNSHARE, SMCCC.MEM_RELINQUISH, SMCCC.HYP_MEMINFO),
    holds: (step) => {
      const { action, pre } = step;
      const rest = (n: number): boolean => action.x.slice(n, 4).every((value) => value === 0n);
      const answers = new Map<number, bigint>([
        [SMCCC.MEM_RELINQUISH, rest(2) ? 0n : -3n],
        [SMCCC.HYP_MEMINFO, rest(1) ? 0x1000n : -3n],
      ]);
      const shares = pre.vms.get(action.vm)?.isProtected === true ? 0n : -1n;
      return all(tells(step.outcome, answers.get(hostId(step)) ?? shares), changesNothing(step));
    },
  }),
  clause({
    id: "GUEST-57",
    kind: "kernel",
    statement: "Mainline's KVM knows none of the calls about memory, nor the guard.",
    source: [
      cite("mainline", "kvm_smccc_call_handler, arch/arm64/kvm/hypercalls.c"),
      cite("measured", "pvm: 7.3.4, MEM_RELINQUISH and MMIO_GUARD_* are -1"),
    ],
    branches: ["mainline-7.3"],
    on: ["kvm_psci_call", "kvm_smccc_call_handler"],
    applies: is(
      SMCCC.HYP_MEMINFO,
      SMCCC.MEM_SHARE,
      SMCCC.MEM_UNSHARE,
      SMCCC.MMIO_GUARD_INFO,
      SMCCC.MMIO_GUARD_ENROLL,
      SMCCC.MMIO_GUARD_MAP,
      SMCCC.MMIO_GUARD_UNMAP,
      SMCCC.MEM_RELINQUISH,
    ),
    holds: (step) => all(tells(step.outcome, -1n), changesNothing(step)),
  }),
];
