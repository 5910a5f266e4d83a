// The PSCI relay: what pKVM does with a PSCI call before the firmware sees it, and after.

import { branchOf } from "../../spec/branches/branches.ts";
import { PSCI, PSCI_EVENT, PSCI_RET } from "../../spec/smccc.ts";
import { cite, type Source } from "../../spec/sources.ts";
import type { PsciCpuEntry, PsciNotified, Smc } from "../../spec/types/action.ts";
import { PAGE_SHIFT } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import { CARVED_OUT_ALWAYS } from "../initial.ts";
import type { Guard, Mutable, Transition } from "../transition.ts";
import { firmware } from "./firmware.ts";
import { switchOff } from "./forward.ts";

const RELAY = "hyp/nvhe/psci-relay.c";
const measured = cite("measured", "base: x1 to x3 are 0 after every call of the PSCI range");
const relay = (where: string): readonly Source[] => [
  cite("android14-6.1", `${where}, ${RELAY}`),
  measured,
];

/** What the relay leaves in the host's registers. */
const relayed = (x0: bigint): Outcome => ({ kind: "registers", x: [x0, 0n, 0n, 0n] });

/**
 * Calls the firmware for the host; what does not come back switches something off. The id goes
 * down as 32 bits, with its hint.
 * Source: psci_call, hyp/nvhe/psci-relay.c; arm_smccc_1_1_smc, linux/arm-smccc.h. Measured on
 * Debian 6.12.95: 0x184000000 is PSCI_VERSION, 0x84010000 is -1.
 */
function psciCall(hyp: Mutable<Hyp>, { cpu, x }: Pick<Smc, "cpu" | "x">): Outcome {
  const [id = 0n, ...rest] = Array.from({ length: 4 }, (_, n) => x[n] ?? 0n);
  const asked = [BigInt.asUintN(32, id), ...rest];
  const answer = firmware(hyp, asked);
  switch (answer.kind) {
    case "answers":
      return { kind: "registers", x: [answer.x0, 0n, 0n, 0n], asked };
    case "off":
      return switchOff(hyp, cpu, answer.what);
    case "starts":
      return { kind: "unmodelled", what: "CPU_ON that is forwarded as it is" };
  }
}

/** A call of the range that the relay does not know. */
export const psciNotSupported: Transition<Smc> = {
  name: "psci_0_2_handler",
  source: relay("psci_0_2_handler, psci_1_0_handler: default"),
  guards: [],
  effect: () => relayed(PSCI_RET.NOT_SUPPORTED),
};

/** psci_forward: x0 to x3 as the host has them, but for the upper half of the id. */
export const psciForwarded: Transition<Smc> = {
  name: "psci_forward",
  source: relay("psci_forward"),
  guards: [],
  effect: psciCall,
};

/**
 * Where a CPU comes to EL2: physical addresses of EL2's own text and of its parameters.
 * CHOICE: the first page of the carve-out, and 64 bytes a CPU in the fourth. No host sees them.
 */
const HYP_CPU_ENTRY = BigInt(CARVED_OUT_ALWAYS.first) << PAGE_SHIFT;
const HYP_CPU_RESUME = HYP_CPU_ENTRY + 0x40n;
const initParams = (cpu: bigint): bigint => HYP_CPU_ENTRY + 0x3000n + cpu * 0x40n;

/** MPIDR_HWID_BITMASK: affinity levels 0 to 3. Source: asm/cputype.h. */
const MPIDR_HWID_BITMASK = 0xff_00ff_ffffn;

const mpidrOf = ({ x }: Smc): bigint => x[1] ?? 0n;

/** The CPU that was online when KVM started and has this MPIDR. Source: find_cpu_id. */
function findCpu({ config }: Pick<Hyp, "config">, mpidr: bigint): number | undefined {
  const isValid = (mpidr & ~MPIDR_HWID_BITMASK) === 0n && mpidr < BigInt(config.cpuCount);
  return isValid ? Number(mpidr) : undefined;
}

/**
 * psci_cpu_on: the lock of the boot arguments is taken before the firmware is asked, given back
 * when it refuses, and otherwise held until the CPU has come up.
 */
export const psciCpuOn: Transition<Smc> = {
  name: "psci_cpu_on",
  source: relay("psci_cpu_on, find_cpu_id, try_acquire_boot_args"),
  guards: [
    {
      clause: "SMC-5",
      permits: (hyp, action) => findCpu(hyp, mpidrOf(action)) !== undefined,
      refusal: () => relayed(PSCI_RET.INVALID_PARAMETERS),
    },
    {
      clause: "SMC-6",
      permits: (hyp, action) => hyp.psci.booting[findCpu(hyp, mpidrOf(action)) ?? -1] === undefined,
      refusal: () => relayed(PSCI_RET.ALREADY_ON),
    },
  ],
  effect: (hyp, action) => {
    const [, mpidr = 0n, pc = 0n, r0 = 0n] = action.x;
    const asked = [PSCI.CPU_ON, mpidr, HYP_CPU_ENTRY, initParams(mpidr)];
    const answer = firmware(hyp, asked);
    if (answer.kind !== "starts") return psciCall(hyp, { cpu: action.cpu, x: asked });
    hyp.psci.booting[answer.cpu] = { pc, r0 };
    return { kind: "registers", x: [PSCI_RET.SUCCESS, 0n, 0n, 0n], asked };
  },
};

/** Calls a module's notifier first, if there is one; the call itself waits for it. */
const notifying = (
  event: number,
  call: (hyp: Mutable<Hyp>, action: Pick<Smc, "cpu" | "x">) => Outcome,
): Transition<Smc>["effect"] => {
  return (hyp, action) => {
    const address = hyp.dispatch.callbacks.psci_notifier;
    return address === undefined ? call(hyp, action) : { kind: "enters", address, event };
  };
};

/** A CPU can only suspend itself, so that its arguments need no lock. */
const suspend = (hyp: Mutable<Hyp>, { cpu, x }: Pick<Smc, "cpu" | "x">): Outcome =>
  psciCall(hyp, {
    cpu,
    x: [PSCI.CPU_SUSPEND, x[1] ?? 0n, HYP_CPU_RESUME, initParams(BigInt(cpu))],
  });

const suspendSystem = (hyp: Mutable<Hyp>, { cpu }: Pick<Smc, "cpu">): Outcome =>
  psciCall(hyp, { cpu, x: [PSCI.SYSTEM_SUSPEND, HYP_CPU_RESUME, initParams(BigInt(cpu)), 0n] });

export const psciCpuSuspend: Transition<Smc> = {
  name: "psci_cpu_suspend",
  source: relay("psci_cpu_suspend"),
  guards: [],
  effect: notifying(PSCI_EVENT.CPU_SUSPEND, suspend),
};

export const psciSystemSuspend: Transition<Smc> = {
  name: "psci_system_suspend",
  source: relay("psci_system_suspend"),
  guards: [],
  effect: notifying(PSCI_EVENT.SYSTEM_SUSPEND, suspendSystem),
};

/** The notifier came back: now the firmware is called, with what the host had asked for. */
export const psciNotified: Transition<PsciNotified> = {
  name: "psci_notified",
  source: relay("psci_cpu_suspend, psci_system_suspend: pkvm_psci_notify"),
  guards: [],
  effect: (hyp, action) =>
    BigInt.asUintN(32, action.x[0] ?? 0n) === PSCI.SYSTEM_SUSPEND
      ? suspendSystem(hyp, action)
      : suspend(hyp, action),
};

/** Whether a page belongs to a protected VM alone. Source: psci_mem_protect_inc, its callers. */
const memProtectIsActive = ({ pages }: Pick<Hyp, "pages">): boolean =>
  [...pages.values()].some(({ owner, host }) => owner === "GUEST" && host === "NOPAGE");

const LOCK_IS_FREE: Guard<Smc> = {
  clause: "SMC-12",
  permits: ({ psci }) => !psci.memProtectLocked,
  refusal: () => ({ kind: "hang", where: "EL2, the lock of MEM_PROTECT" }),
};

/** Pages of the firmware are overwritten, and the lock is taken for ever. */
function beforeTheEnd(hyp: Mutable<Hyp>): void {
  if (!branchOf(hyp.config).smc.poisonsFirmware) return;
  if (hyp.firmware.regionBytes > 0) hyp.firmware.content = "zero";
  hyp.psci.memProtectLocked = true;
}

export const psciSystemOff: Transition<Smc> = {
  name: "psci_system_off",
  source: relay("psci_0_2_handler: pkvm_poison_pvmfw_pages, mem_protect_lock"),
  guards: [LOCK_IS_FREE],
  effect: (hyp, action) => {
    beforeTheEnd(hyp);
    return psciCall(hyp, action);
  },
};

/** While memory is protected a reset of any other type becomes SYSTEM_RESET. */
export const psciSystemReset2: Transition<Smc> = {
  name: "psci_system_reset2",
  source: relay("psci_1_0_handler: psci_mem_protect_active"),
  guards: [LOCK_IS_FREE],
  effect: (hyp, action) => {
    beforeTheEnd(hyp);
    const isActive = branchOf(hyp.config).smc.poisonsFirmware && memProtectIsActive(hyp);
    const x = isActive ? [PSCI.SYSTEM_RESET, ...action.x.slice(1)] : action.x;
    return psciCall(hyp, { cpu: action.cpu, x });
  },
};

/** kvm_host_psci_cpu_entry: the CPU that CPU_ON started enters the host where it was told to. */
export const psciCpuEntry: Transition<PsciCpuEntry> = {
  name: "kvm_host_psci_cpu_entry",
  source: relay("kvm_host_psci_cpu_entry, release_boot_args"),
  guards: [],
  effect: (hyp, { cpu }) => {
    hyp.psci.booting[cpu] = undefined;
    hyp.psci.power[cpu] = "on";
    const address = hyp.dispatch.callbacks.psci_notifier;
    return address === undefined
      ? { kind: "returned", value: 0n }
      : { kind: "enters", address, event: PSCI_EVENT.CPU_ENTRY };
  },
};

/** The transition of each function that the relay knows. */
export const PSCI_CALLS: ReadonlyMap<bigint, Transition<Smc>> = new Map([
  [PSCI.VERSION, psciForwarded],
  [PSCI.CPU_OFF, psciForwarded],
  [PSCI.AFFINITY_INFO, psciForwarded],
  [PSCI.MIGRATE, psciForwarded],
  [PSCI.MIGRATE_INFO_TYPE, psciForwarded],
  [PSCI.MIGRATE_INFO_UP_CPU, psciForwarded],
  [PSCI.FEATURES, psciForwarded],
  [PSCI.SET_SUSPEND_MODE, psciForwarded],
  [PSCI.SYSTEM_OFF, psciSystemOff],
  [PSCI.SYSTEM_RESET, psciSystemOff],
  [PSCI.SYSTEM_RESET2, psciSystemReset2],
  [PSCI.CPU_SUSPEND, psciCpuSuspend],
  [PSCI.SYSTEM_SUSPEND, psciSystemSuspend],
  [PSCI.CPU_ON, psciCpuOn],
]);
