// The calls of guests that reach the host's KVM: what it answers, and what ends KVM_RUN.

import { vmsOf } from "../../spec/branches/branches.ts";
import {
  AFFINITY,
  AFFINITY_BITS,
  affinityMask,
  affinityOf,
  functionOf,
  isVendorCall,
  PSCI,
  RET,
  SMCCC,
} from "../../spec/guest-calls.ts";
import { cite } from "../../spec/sources.ts";
import type { GuestBudgetSpent, KvmPsciCall, KvmSmcccCall } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { HostVcpu, VmState } from "../../spec/types/vm.ts";
import type { Mutable, Transition } from "../transition.ts";

const answer = (...x: readonly bigint[]): Outcome => ({
  kind: "guest",
  x: [x[0] ?? 0n, x[1] ?? 0n, x[2] ?? 0n, x[3] ?? 0n],
});

/** Source: ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0 to 3, linux/arm-smccc.h; measured, npvm. */
const UID = [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn] as const;

/** ARM_SMCCC_VERSION_1_1, ARM_SMCCC_TRNG_VERSION_1_0. Source: measured, npvm; pvm. */
const SMCCC_1_1 = 0x1_0001n;
const TRNG_1_0 = 0x1_0000n;

/** Functions of TRNG that are there. Source: kvm_trng_call, arch/arm64/kvm/trng.c. */
const TRNG: ReadonlySet<number> = new Set([
  SMCCC.TRNG_VERSION,
  SMCCC.TRNG_FEATURES,
  SMCCC.TRNG_GET_UUID,
  SMCCC.TRNG_RND32,
  SMCCC.TRNG_RND64,
]);

/** What PSCI_FEATURES says yes to. Source: kvm_psci_1_x_call, arch/arm64/kvm/psci.c. */
const PSCI_FEATURES: ReadonlySet<number> = new Set([
  PSCI.VERSION,
  PSCI.CPU_SUSPEND,
  PSCI.CPU_SUSPEND64,
  PSCI.CPU_OFF,
  PSCI.CPU_ON,
  PSCI.CPU_ON64,
  PSCI.AFFINITY_INFO,
  PSCI.AFFINITY_INFO64,
  PSCI.MIGRATE_INFO_TYPE,
  PSCI.SYSTEM_OFF,
  PSCI.SYSTEM_RESET,
  PSCI.FEATURES,
  PSCI.SYSTEM_RESET2,
  PSCI.SYSTEM_RESET2_64,
  SMCCC.VERSION,
]);

/** Vendor's calls whose answer is not in the table. */
const OTHERWISE_KNOWN: readonly number[] = [SMCCC.VENDOR_HYP_FEATURES, SMCCC.PTP];

/** Whether kvm_psci_call answers a call, and not kvm_smccc_call_handler. */
export function isPsci(x: readonly bigint[]): boolean {
  const id = functionOf(x);
  return !SMCCC_ANSWERS.has(id) && !TRNG.has(id) && !OTHERWISE_KNOWN.includes(id);
}

/** Arguments 1 to 3 are 0. */
const noArguments = ({ x }: KvmSmcccCall): boolean => x.slice(1, 4).every((value) => value === 0n);

const SMCCC_ANSWERS: ReadonlyMap<number, (vm: VmState, call: KvmSmcccCall) => Outcome> = new Map([
  [SMCCC.VERSION, () => answer(SMCCC_1_1)],
  [SMCCC.ARCH_FEATURES, (_, { x }) => archFeature(x[1] ?? 0n)],
  [SMCCC.VENDOR_HYP_UID, () => answer(...UID)],
  [SMCCC.HYP_MEMINFO, (_, call) => answer(noArguments(call) ? 4096n : RET.INVALID_PARAMETER)],
  // EL2 has done it; what the host answers to these is not looked at.
  [SMCCC.MEM_SHARE, ({ isProtected }) => answer(isProtected ? RET.SUCCESS : RET.NOT_SUPPORTED)],
  [SMCCC.MEM_UNSHARE, ({ isProtected }) => answer(isProtected ? RET.SUCCESS : RET.NOT_SUPPORTED)],
  [
    SMCCC.MMIO_GUARD_MAP,
    ({ isProtected }) => answer(isProtected ? RET.SUCCESS : RET.NOT_SUPPORTED),
  ],
  [
    SMCCC.MEM_RELINQUISH,
    (_, { x }) =>
      answer(x.slice(2, 4).every((value) => value === 0n) ? RET.SUCCESS : RET.INVALID_PARAMETER),
  ],
] as const);

/** Ids of the standard's first page that depend on the machine: not measured, not answered. */
function archFeature(id: bigint): Outcome {
  const known = [0x8000_8000n, 0x8000_7fffn, 0x8000_3fffn, 0xc500_0020n];
  return known.includes(id)
    ? { kind: "unmodelled", what: `SMCCC_ARCH_FEATURES 0x${id.toString(16)} of a guest` }
    : answer(RET.NOT_SUPPORTED);
}

/** What is no PSCI. Random numbers, the clock and the UUID are not modelled. */
export const kvmSmcccCall: Transition<KvmSmcccCall> = {
  name: "kvm_smccc_call_handler",
  source: [
    cite("android14-6.1", "kvm_hvc_call_handler, arch/arm64/kvm/hypercalls.c; kvm_trng_call"),
    cite("measured", "npvm"),
  ],
  guards: [],
  effect: (hyp, call) => {
    const vm = hyp.vms.get(call.vm) as VmState | undefined;
    const id = functionOf(call.x);
    const { hostFeatures, reservesHandles } = vmsOf(hyp.config);
    if (id === SMCCC.VENDOR_HYP_FEATURES && hostFeatures !== undefined) {
      return answer(BigInt(hostFeatures));
    }
    // Mainline's KVM has never heard of the memory calls and of the guard.
    if (reservesHandles && isVendorCall(id) && !OTHERWISE_KNOWN.includes(id)) {
      return answer(RET.NOT_SUPPORTED);
    }
    const answered = vm === undefined ? undefined : SMCCC_ANSWERS.get(id)?.(vm, call);
    if (answered !== undefined) return answered;
    if (id === SMCCC.TRNG_VERSION) return answer(TRNG_1_0);
    if (id === SMCCC.TRNG_FEATURES) {
      const asked = Number(BigInt.asUintN(32, call.x[1] ?? 0n));
      return answer(TRNG.has(asked) ? RET.SUCCESS : RET.NOT_SUPPORTED);
    }
    return { kind: "unmodelled", what: `call 0x${id.toString(16)} of a guest` };
  },
};

/** The vCPUs of a VM with their numbers, to be changed. */
type Vcpus = Mutable<VmState["vcpus"]>;

/** Source: KVM_SYSTEM_EVENT_*, uapi/linux/kvm.h. */
const SHUTDOWN = 1;
const RESET = 2;

/** KVM_RUN ends, and no vCPU runs again. Source: kvm_prepare_system_event, psci.c. */
function systemEvent(vcpus: Vcpus, type: number, data: bigint): Outcome {
  for (const vcpu of vcpus.values()) (vcpu as Mutable<HostVcpu>).stopped = true;
  return { kind: "user", event: { type, data: [data] } };
}

/** Source: kvm_psci_vcpu_on, arch/arm64/kvm/psci.c (android14-6.1). */
function cpuOn(vcpus: Vcpus, affinity: bigint): Outcome {
  if ((affinity & ~AFFINITY_BITS) !== 0n) return answer(RET.INVALID_PARAMETERS);
  const target = [...vcpus].find(([number]) => affinityOf(number) === affinity)?.[1];
  if (target === undefined) return answer(RET.INVALID_PARAMETERS);
  if (!target.stopped) return answer(RET.ALREADY_ON);
  target.stopped = false;
  return answer(RET.SUCCESS);
}

/** Source: kvm_psci_vcpu_affinity_info, arch/arm64/kvm/psci.c (android14-6.1). */
function affinityInfo(vcpus: Vcpus, affinity: bigint, level: bigint): Outcome {
  const mask = affinityMask(level);
  if ((affinity & ~AFFINITY_BITS) !== 0n || mask === 0n) return answer(RET.INVALID_PARAMETERS);
  const wanted = affinity & mask;
  const matching = [...vcpus].filter(([number]) => (affinityOf(number) & mask) === wanted);
  if (matching.length === 0) return answer(RET.INVALID_PARAMETERS);
  return answer(matching.some(([, { stopped }]) => !stopped) ? AFFINITY.ON : AFFINITY.OFF);
}

/** Source: PSCI_1_1_RESET_TYPE_VENDOR_START, KVM_SYSTEM_EVENT_RESET_FLAG_PSCI_RESET2. */
const VENDOR_RESET = 0x8000_0000n;
const RESET_FLAG_PSCI_RESET2 = 1n;

/** What PSCI 1.3 adds. Source: PSCI_1_3_FN_SYSTEM_OFF2, uapi/linux/psci.h. */
const isOfPsci13 = ({ config }: Pick<Hyp, "config">, id: number): boolean =>
  vmsOf(config).hostPsci >= 0x1_0003 && (id & ~0x4000_0000) >>> 0 === 0x8400_0015;
const SYSTEM_OFF2: Outcome = { kind: "unmodelled", what: "SYSTEM_OFF2 of a guest" };

/** PSCI 1.1 of a VM, of whatever kind: for a protected one only what EL2 forwards. */
export const kvmPsciCall: Transition<KvmPsciCall> = {
  name: "kvm_psci_call",
  source: [
    cite("android14-6.1", "kvm_psci_1_x_call, kvm_psci_0_2_call, arch/arm64/kvm/psci.c"),
    cite("measured", "npvm; every guest: SYSTEM_OFF"),
  ],
  guards: [],
  effect: (hyp, { vm, vcpu, x }) => {
    const vcpus = hyp.vms.get(vm)?.vcpus ?? new Map();
    const id = functionOf(x);
    const narrow = (id & 0x4000_0000) === 0;
    const argument = (n: number): bigint =>
      narrow ? BigInt.asUintN(32, x[n] ?? 0n) : (x[n] ?? 0n);
    switch (id) {
      case PSCI.VERSION:
        return answer(BigInt(vmsOf(hyp.config).hostPsci));
      case PSCI.FEATURES:
        if (isOfPsci13(hyp, Number(argument(1)))) return SYSTEM_OFF2;
        return answer(PSCI_FEATURES.has(Number(argument(1))) ? RET.SUCCESS : RET.NOT_SUPPORTED);
      case PSCI.MIGRATE_INFO_TYPE:
        return answer(2n);
      case PSCI.AFFINITY_INFO:
      case PSCI.AFFINITY_INFO64:
        return affinityInfo(vcpus, argument(1), argument(2));
      case PSCI.CPU_ON:
      case PSCI.CPU_ON64:
        return cpuOn(vcpus, argument(1));
      case PSCI.CPU_OFF: {
        const state = vcpus.get(vcpu);
        if (state !== undefined) state.stopped = true;
        return answer(RET.SUCCESS);
      }
      case PSCI.SYSTEM_OFF:
        return systemEvent(vcpus, SHUTDOWN, 0n);
      case PSCI.SYSTEM_RESET:
        return systemEvent(vcpus, RESET, 0n);
      case PSCI.SYSTEM_RESET2:
      case PSCI.SYSTEM_RESET2_64:
        return argument(1) === 0n || argument(1) >= VENDOR_RESET
          ? systemEvent(vcpus, RESET, RESET_FLAG_PSCI_RESET2)
          : answer(RET.INVALID_PARAMETERS);
      case PSCI.CPU_SUSPEND:
      case PSCI.CPU_SUSPEND64:
        return { kind: "hang", where: "CPU_SUSPEND of a guest without interrupts" };
      default:
        return isOfPsci13(hyp, id) ? SYSTEM_OFF2 : answer(RET.NOT_SUPPORTED);
    }
  },
};

/** A guest that does not leave keeps the process in KVM_RUN; the rest of the host goes on. */
export const guestBudgetSpent: Transition<GuestBudgetSpent> = {
  name: "guest_budget_spent",
  source: [cite("android14-6.1", "kvm_arch_vcpu_ioctl_run; kvm_vcpu_wfi, arch/arm64/kvm/arm.c")],
  guards: [],
  effect: (_, { where }) => ({ kind: "hang", where }),
};
