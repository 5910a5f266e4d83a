// PSCI and what else a guest asks, as EL2 answers a protected one.

import { vmsOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { AFFINITY_BITS, affinityMask, affinityOf, PSCI, SMCCC } from "../guest-calls.ts";
import { cite, type Source } from "../sources.ts";
import type { HypVcpu } from "../types/hyp-vm.ts";
import {
  type CallStep,
  caller,
  callerAfter,
  idOf,
  isProtectedCaller,
  looksAt,
  makes,
  onlyTells,
  reg,
  shows,
} from "./guest-view.ts";
import { all, changesNothing, changesOnly, ensure, equal, spell } from "./phrases.ts";

const hyp = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/pkvm.c`);

const turnsOn = makes(PSCI.CPU_ON, PSCI.CPU_ON64);
const asksAffinity = makes(PSCI.AFFINITY_INFO, PSCI.AFFINITY_INFO64);
const asksFeatures = makes(PSCI.FEATURES);

const INVALID_PARAMETERS = -2n;

/** An argument: 32 bits of the register where the call is a 32-bit one. */
const narrowed = (id: number, value: bigint): bigint =>
  id < 0xc000_0000 ? BigInt.asUintN(32, value) : value;
const arg = (step: CallStep, n: number): bigint => narrowed(idOf(step), reg(step, n));

const isAffinity = (affinity: bigint): boolean => (affinity & ~AFFINITY_BITS) === 0n;
const vcpus = (step: CallStep): readonly HypVcpu[] => caller(step)?.vm.vcpus ?? [];
const targetIndex = (step: CallStep): number =>
  vcpus(step).findIndex((_, n) => affinityOf(n) === arg(step, 1));
const target = (step: CallStep): HypVcpu | undefined => vcpus(step)[targetIndex(step)];

/** The vCPUs that AFFINITY_INFO is about. */
function meant<T>(all_: readonly T[], affinity: bigint, level: bigint): readonly T[] {
  const mask = affinityMask(level);
  return all_.filter((_, n) => (affinityOf(n) & mask) === (affinity & mask));
}
const asked = (step: CallStep): readonly HypVcpu[] =>
  meant(vcpus(step), arg(step, 1), arg(step, 2));
const isQuestion = (step: CallStep): boolean =>
  isAffinity(arg(step, 1)) && affinityMask(arg(step, 2)) !== 0n;

/** What PSCI_FEATURES of EL2 knows. Source: pvm_psci_features, hyp/nvhe/pkvm.c. */
const KNOWN = new Set<number>([
  ...Object.entries(PSCI)
    .filter(([name]) => name !== "MIGRATE_INFO_TYPE")
    .map(([, id]) => id),
  SMCCC.VERSION,
]);
const feature = (step: CallStep): number => Number(BigInt.asUintN(32, reg(step, 1)));

/** What is always answered the same. */
const FIXED = new Map<number, readonly bigint[]>([
  [SMCCC.VERSION, [0x1_0001n]],
  [SMCCC.VENDOR_HYP_UID, [0xb66f_b428n, 0xe911_c52en, 0x564b_caa9n, 0x743a_004dn]],
  [PSCI.VERSION, [0x1_0001n]],
]);

/** What only the host can do, and how many registers it needs to see for it. */
const FORWARDED = new Map<number, number>([
  [PSCI.CPU_OFF, 1],
  [PSCI.CPU_SUSPEND, 1],
  [PSCI.CPU_SUSPEND64, 1],
  [PSCI.SYSTEM_OFF, 1],
  [PSCI.SYSTEM_RESET, 1],
  [PSCI.SYSTEM_RESET2, 3],
  [PSCI.SYSTEM_RESET2_64, 3],
]);

/** The same, with the features that the branch tells of. */
const fixed = (step: CallStep): readonly bigint[] | undefined =>
  idOf(step) === SMCCC.VENDOR_HYP_FEATURES
    ? [BigInt(vmsOf(step.pre.config).features)]
    : FIXED.get(idOf(step));

const ELSEWHERE = new Set<number>([
  ...FIXED.keys(),
  ...FORWARDED.keys(),
  SMCCC.HYP_MEMINFO,
  SMCCC.MEM_SHARE,
  SMCCC.MEM_UNSHARE,
  SMCCC.MEM_RELINQUISH,
  SMCCC.MMIO_GUARD_INFO,
  SMCCC.MMIO_GUARD_ENROLL,
  SMCCC.MMIO_GUARD_MAP,
  SMCCC.MMIO_GUARD_UNMAP,
  PSCI.CPU_ON,
  PSCI.CPU_ON64,
  PSCI.AFFINITY_INFO,
  PSCI.AFFINITY_INFO64,
  PSCI.FEATURES,
]);

/** A vCPU after CPU_ON, or another of the same VM, which stays as it is. */
const turnedOn = (step: CallStep): readonly HypVcpu[] =>
  vcpus(step).map((vcpu, n) =>
    n === targetIndex(step)
      ? { ...vcpu, power: "ON_PENDING", reset: { pc: arg(step, 2), x0: arg(step, 3) } }
      : vcpu,
  );

/** The same vCPUs, whatever EL2 remembers of an exit. */
const withoutExits = (list: readonly HypVcpu[] | undefined) =>
  list?.map(({ exit: _, ...vcpu }) => vcpu);

export const GUEST_PSCI: readonly StepClause[] = [
  clause({
    id: "GUEST-40",
    kind: "kernel",
    statement: "CPU_ON of what is no affinity is wrong.",
    source: [hyp("pvm_psci_vcpu_on: kvm_psci_valid_affinity")],
    on: ["guest_hvc"],
    applies: (step) => turnsOn(step) && !isAffinity(arg(step, 1)),
    holds: (step) => onlyTells(step, INVALID_PARAMETERS),
  }),
  clause({
    id: "GUEST-41",
    kind: "kernel",
    statement: "CPU_ON of a vCPU that is not there is wrong.",
    source: [hyp("pvm_psci_vcpu_on: pkvm_mpidr_to_hyp_vcpu")],
    on: ["guest_hvc"],
    applies: (step) => turnsOn(step) && isAffinity(arg(step, 1)) && target(step) === undefined,
    holds: (step) => onlyTells(step, INVALID_PARAMETERS),
  }),
  clause({
    id: "GUEST-42",
    kind: "kernel",
    statement: "CPU_ON of a vCPU that is about to start says that it is.",
    source: [hyp("pvm_psci_vcpu_on: the power state is exchanged only from OFF")],
    on: ["guest_hvc"],
    applies: (step) => turnsOn(step) && target(step)?.power === "ON_PENDING",
    holds: (step) => onlyTells(step, -5n),
  }),
  clause({
    id: "GUEST-43",
    kind: "kernel",
    statement: "CPU_ON of a vCPU that is on says that it is.",
    source: [hyp("pvm_psci_vcpu_on")],
    on: ["guest_hvc"],
    applies: (step) => turnsOn(step) && target(step)?.power === "ON",
    holds: (step) => onlyTells(step, -4n),
  }),
  clause({
    id: "GUEST-44",
    kind: "kernel",
    statement: "AFFINITY_INFO of what is no affinity is wrong.",
    source: [hyp("pvm_psci_vcpu_affinity_info: kvm_psci_valid_affinity")],
    on: ["guest_hvc"],
    applies: (step) => asksAffinity(step) && !isAffinity(arg(step, 1)),
    holds: (step) => onlyTells(step, INVALID_PARAMETERS),
  }),
  clause({
    id: "GUEST-45",
    kind: "kernel",
    statement: "AFFINITY_INFO at a level that does not exist is wrong.",
    source: [hyp("pvm_psci_vcpu_affinity_info: psci_affinity_mask")],
    on: ["guest_hvc"],
    applies: (step) =>
      asksAffinity(step) && isAffinity(arg(step, 1)) && affinityMask(arg(step, 2)) === 0n,
    holds: (step) => onlyTells(step, INVALID_PARAMETERS),
  }),
  clause({
    id: "GUEST-46",
    kind: "kernel",
    statement: "AFFINITY_INFO of no vCPU is wrong.",
    source: [
      hyp("pvm_psci_vcpu_affinity_info: matching_cpus"),
      cite("measured", "pvm-peek: -2 for vCPU 5"),
    ],
    on: ["guest_hvc"],
    applies: (step) => asksAffinity(step) && isQuestion(step) && asked(step).length === 0,
    holds: (step) => onlyTells(step, INVALID_PARAMETERS),
  }),
  clause({
    id: "GUEST-47",
    kind: "kernel",
    statement: "PSCI_FEATURES says which functions there are.",
    source: [hyp("pvm_psci_features"), cite("measured", "pvm-peek: 0 for CPU_ON, SYSTEM_OFF")],
    on: ["guest_hvc"],
    applies: asksFeatures,
    holds: (step) => onlyTells(step, KNOWN.has(feature(step)) ? 0n : -1n),
  }),
  clause({
    id: "GUEST-48",
    kind: "kernel",
    statement:
      "CPU_ON of a vCPU that is off keeps where it starts, and tells the host which it is.",
    source: [hyp("pvm_psci_vcpu_on"), cite("android14-6.1", "handle_pvm_exit_hvc64: n = 2")],
    on: ["guest_hvc"],
    applies: (step) => turnsOn(step) && target(step)?.power === "OFF",
    holds: (step) =>
      all(
        shows(step, 2),
        ensure(
          equal(withoutExits(callerAfter(step)?.vm.vcpus), withoutExits(turnedOn(step))),
          "the vCPUs are not as they become",
        ),
        changesOnly(step, "vmTable"),
      ),
  }),
  clause({
    id: "GUEST-49",
    kind: "kernel",
    statement: "AFFINITY_INFO is ON if one is, otherwise ON_PENDING if one is, otherwise OFF.",
    source: [hyp("pvm_psci_vcpu_affinity_info"), cite("measured", "pvm-peek: 0 for vCPU 0")],
    on: ["guest_hvc"],
    applies: (step) => asksAffinity(step) && isQuestion(step) && asked(step).length > 0,
    holds: (step) => {
      const powers = asked(step).map(({ power }) => power);
      const pending = powers.includes("ON_PENDING") ? 2n : 1n;
      return onlyTells(step, powers.includes("ON") ? 0n : pending);
    },
  }),
  clause({
    id: "GUEST-50",
    kind: "kernel",
    statement: "Some calls are always answered the same, and an unknown one with NOT_SUPPORTED.",
    source: [
      hyp("kvm_handle_pvm_hvc64, pkvm_handle_psci"),
      cite("measured", "pvm-peek: versions, 0x3fd, -1 for TRNG, FF-A and 0xdead"),
    ],
    on: ["guest_hvc"],
    applies: (step) =>
      isProtectedCaller(step) &&
      looksAt(step) &&
      (fixed(step) !== undefined || !ELSEWHERE.has(idOf(step))),
    holds: (step) => onlyTells(step, ...(fixed(step) ?? [-1n])),
  }),
  clause({
    id: "GUEST-51",
    kind: "kernel",
    statement: "What only the host can do it does, and sees no more registers than it needs.",
    source: [
      cite("android14-6.1", "handle_pvm_exit_hvc64, hyp/nvhe/hyp-main.c"),
      cite("measured", "pvm-peek: SYSTEM_OFF ends KVM_RUN"),
    ],
    on: ["guest_hvc"],
    applies: (step) => isProtectedCaller(step) && looksAt(step) && FORWARDED.has(idOf(step)),
    holds: (step) => {
      const off = idOf(step) === PSCI.CPU_OFF;
      const power = off ? "OFF" : caller(step)?.vcpu.power;
      return all(
        shows(step, FORWARDED.get(idOf(step)) ?? 0),
        ensure(callerAfter(step)?.vcpu.power === power, "the vCPU is not as it becomes"),
        changesOnly(step, "vmTable"),
      );
    },
  }),
  clause({
    id: "GUEST-52",
    kind: "kernel",
    statement: "A call that EL2 does not look at is the host's, registers and all.",
    source: [
      cite("android14-6.1", "hyp_exit_handlers, hyp/nvhe/switch.c"),
      cite("measured", "npvm, pvm: 7.3.4, PSCI 0x10003 is the host's answer"),
    ],
    on: ["guest_hvc"],
    applies: (step) => caller(step) !== undefined && (!isProtectedCaller(step) || !looksAt(step)),
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "exits" && step.outcome.x === undefined,
          `the host does not see the guest: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
];
