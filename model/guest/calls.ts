// Every call of a protected guest by its number, and what becomes of the others.

import { vmsOf } from "../../spec/branches/branches.ts";
import { functionOf, isOfEl2, PSCI, RET, SMCCC } from "../../spec/guest-calls.ts";
import { cite } from "../../spec/sources.ts";
import type { GuestHvc } from "../../spec/types/guest-action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { VcpuExit } from "../../spec/types/hyp-vm.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import { loadedOn } from "../vm/loaded.ts";
import { ESR_HVC, type GuestCall, toGuest } from "./answers.ts";
import { guardInfo, memInfo, memRelinquish, memShare, memUnshare } from "./memory-calls.ts";
import { guardEnroll, guardMap, guardUnmap } from "./mmio-guard.ts";
import {
  affinityInfo,
  cpuOff,
  cpuOn,
  cpuSuspend,
  psciFeatures,
  psciVersion,
  systemOff,
  systemReset2,
} from "./psci.ts";

const SOURCE = cite("android14-6.1", "kvm_handle_pvm_hvc64, hyp/nvhe/pkvm.c");

/** A call whose answer is always the same. */
const fixed = (name: string, trace: string, ...x: readonly bigint[]): GuestCall => ({
  name,
  source: [SOURCE, cite("measured", trace)],
  guards: [],
  effect: () => toGuest(...x),
});

const smcccVersion = fixed("smccc_version", "pvm-peek: 0x10001", 0x1_0001n);

/** Source: ARM_SMCCC_VENDOR_HYP_UID_KVM_REG_0 to 3, linux/arm-smccc.h; measured, pvm-peek. */
const UID = [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn] as const;
const vendorUid = fixed("vendor_hyp_call_uid", "pvm-peek: four words", ...UID);

/** The bits of what EL2 knows. Source: ARM_SMCCC_KVM_FUNC_*, linux/arm-smccc.h. */
const vendorFeatures: GuestCall = {
  name: "vendor_hyp_features",
  source: [SOURCE, cite("measured", "pvm-peek: 0x3fd"), cite("measured", "pvm: 0x1d on 7.3.4")],
  guards: [],
  effect: ({ config }) => toGuest(BigInt(vmsOf(config).features)),
};

/** Everything else, TRNG without a firmware that has it included. Source: pkvm_handle_psci. */
const notSupported = fixed("pvm_psci_not_supported", "pvm-peek: 0xdead", RET.NOT_SUPPORTED);

/**
 * A guest that is not protected is the host's: it sees everything. So it does of a call that EL2
 * does not look at where the host has the registers.
 * Source: hyp_exit_handlers, hyp/nvhe/switch.c: nothing handles HVC64 of such a guest.
 */
const everythingToHost: GuestCall = {
  name: "guest_hvc_to_host",
  source: [cite("android14-6.1", "hyp_exit_handlers, hyp/nvhe/switch.c"), cite("measured", "npvm")],
  guards: [],
  effect: () => ({
    kind: "exits",
    x: undefined,
    esr: ESR_HVC,
    far: 0n,
    ipa: 0n,
    again: false,
  }),
};

/** The calls that EL2 knows, by the 32 bits of x0. */
const CALLS: ReadonlyMap<number, GuestCall> = new Map([
  [SMCCC.VERSION, smcccVersion],
  [SMCCC.VENDOR_HYP_UID, vendorUid],
  [SMCCC.VENDOR_HYP_FEATURES, vendorFeatures],
  [SMCCC.HYP_MEMINFO, memInfo],
  [SMCCC.MEM_SHARE, memShare],
  [SMCCC.MEM_UNSHARE, memUnshare],
  [SMCCC.MEM_RELINQUISH, memRelinquish],
  [SMCCC.MMIO_GUARD_INFO, guardInfo],
  [SMCCC.MMIO_GUARD_ENROLL, guardEnroll],
  [SMCCC.MMIO_GUARD_MAP, guardMap],
  [SMCCC.MMIO_GUARD_UNMAP, guardUnmap],
  [PSCI.VERSION, psciVersion],
  [PSCI.FEATURES, psciFeatures],
  [PSCI.CPU_ON, cpuOn],
  [PSCI.CPU_ON64, cpuOn],
  [PSCI.CPU_OFF, cpuOff],
  [PSCI.AFFINITY_INFO, affinityInfo],
  [PSCI.AFFINITY_INFO64, affinityInfo],
  [PSCI.SYSTEM_OFF, systemOff],
  [PSCI.SYSTEM_RESET, systemOff],
  [PSCI.SYSTEM_RESET2, systemReset2],
  [PSCI.SYSTEM_RESET2_64, systemReset2],
  [PSCI.CPU_SUSPEND, cpuSuspend],
  [PSCI.CPU_SUSPEND64, cpuSuspend],
]);

/** Every transition that a call of a guest can be. */
export const GUEST_CALLS: readonly GuestCall[] = [
  ...new Set([...CALLS.values(), notSupported, everythingToHost]),
];

/** The transition of a call: by the kind of the guest and the number. */
export function guestCallOf(hyp: Hyp, action: GuestHvc): GuestCall {
  if (loadedOn(hyp, action.cpu)?.vm.isProtected !== true) return everythingToHost;
  const id = functionOf(action.x);
  if (!isOfEl2(vmsOf(hyp.config), id)) return everythingToHost;
  return CALLS.get(id) ?? notSupported;
}

const EC_SHIFT = 26n;
const EC_HVC64 = 0x16n;

/** What EL2 remembers of an exit, to know what the host may change at the next entry. */
export function exitOf(
  outcome: Extract<Outcome, { kind: "exits" }>,
  x: readonly bigint[],
): VcpuExit {
  if (outcome.esr >> EC_SHIFT === EC_HVC64) {
    return { kind: "hvc", id: functionOf(x), x1: x[1] ?? 0n };
  }
  return { kind: "data abort", mmio: false, loads: undefined, far: outcome.far };
}
