// What the host's PSCI calls come to: pKVM relays them, and enters every CPU before the host does.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { isPsci, PSCI, PSCI_EVENT, PSCI_RET } from "../smccc.ts";
import { cite } from "../sources.ts";
import type { Action, PsciNotified, Smc } from "../types/action.ts";
import type { Hyp } from "../types/hyp.ts";
import { all, changesNothing, changesOnly, EVERY_ACTION, ensure, equal, spell } from "./phrases.ts";
import {
  answersItself,
  argument,
  askedOf,
  asksFirmware,
  idOf,
  isPsciCall,
  leaves,
  type SmcStep,
  word,
} from "./smc-step.ts";

const RELAY = "hyp/nvhe/psci-relay.c";
const read = (where: string) => cite("android14-6.1", `${where}, ${RELAY}`);
const measured = cite("measured", "base: PSCI by SMC on both builds");

/** Calls whose registers go down as they are. */
const FORWARDED: readonly bigint[] = [
  PSCI.VERSION,
  PSCI.AFFINITY_INFO,
  PSCI.MIGRATE,
  PSCI.MIGRATE_INFO_TYPE,
  PSCI.MIGRATE_INFO_UP_CPU,
  PSCI.FEATURES,
  PSCI.SET_SUSPEND_MODE,
];
const KNOWN: readonly bigint[] = Object.values(PSCI);

/** The CPU that CPU_ON names. */
const targetOf = ({ pre, action }: SmcStep): number | undefined => {
  const mpidr = argument(action, 1);
  return mpidr < BigInt(pre.config.cpuCount) ? Number(mpidr) : undefined;
};

const isCpuOn = isPsciCall(PSCI.CPU_ON);
const cpuOnOf = (isSo: (hyp: Hyp, target: number) => boolean) => (step: SmcStep) => {
  const target = targetOf(step);
  return isCpuOn(step) && target !== undefined && isSo(step.pre, target);
};

/** The memory that EL2 keeps. Source: measured, machines. */
const isCarvedOut = (address: bigint | undefined): boolean =>
  address !== undefined && address >= 0x7f40_0000n && address < 0x7fe0_0000n;

/** What a suspend is told first, and by which call. */
const eventOf = (id: bigint): number =>
  id === PSCI.SYSTEM_SUSPEND ? PSCI_EVENT.SYSTEM_SUSPEND : PSCI_EVENT.CPU_SUSPEND;
const isSuspend = isPsciCall(PSCI.CPU_SUSPEND, PSCI.SYSTEM_SUSPEND);

/** The answer of a suspend: the firmware has no system suspend, and only standby of a CPU. */
function suspended(action: Smc | PsciNotified): bigint {
  const x0 = (action.x[0] ?? 0n) & 0xffff_ffffn;
  if (x0 !== PSCI.CPU_SUSPEND) return PSCI_RET.NOT_SUPPORTED;
  const isStandby = ((action.x[1] ?? 0n) & 0xfffe_0000n) === 0n;
  return isStandby ? PSCI_RET.SUCCESS : PSCI_RET.INVALID_PARAMETERS;
}

const endsSystem = isPsciCall(PSCI.SYSTEM_OFF, PSCI.SYSTEM_RESET);
const isReset2 = isPsciCall(PSCI.SYSTEM_RESET2);
const hasGuestPages = ({ pages }: Hyp): boolean =>
  [...pages.values()].some(({ owner, host }) => owner === "GUEST" && host === "NOPAGE");
const isPoisoned = ({ config, firmware }: Hyp): boolean =>
  !branchOf(config).smc.poisonsFirmware || firmware.content === "zero";

/** The CPU that acts, where one does. */
const actorOf = (action: Action): number | undefined =>
  "cpu" in action && action.kind !== "psci_cpu_entry" ? action.cpu : undefined;

/** Whether x0 is the id itself, as the firmware compares all of it. */
const isThisId = ({ action }: SmcStep, id: bigint): boolean =>
  argument(action, 0) === id && word(action, 0) === id;

export const PSCI_CLAUSES: readonly StepClause[] = [
  clause({
    id: "SMC-3",
    kind: "kernel",
    statement: "A call of the PSCI range that pKVM does not relay is -1, and x1 to x3 are 0.",
    source: [read("psci_0_2_handler, psci_1_0_handler"), measured],
    on: ["smc"],
    applies: (step) => {
      const id = idOf(step);
      return id !== undefined && isPsci(id) && !KNOWN.includes(id);
    },
    holds: (step) =>
      all(answersItself(step.outcome, PSCI_RET.NOT_SUPPORTED, 0n, 0n, 0n), changesNothing(step)),
  }),
  clause({
    id: "SMC-4",
    kind: "kernel",
    statement:
      "A relayed call goes down with 32 bits of x0, x1 to x3, and comes back with 0 in those.",
    source: [
      read("psci_forward, psci_call, kvm_host_psci_handler; arm_smccc_1_1_smc, arm-smccc.h"),
      cite("measured", "directed: SMC 0x184000000 on 6.12"),
      measured,
    ],
    on: ["smc"],
    applies: isPsciCall(...FORWARDED),
    holds: (step) =>
      all(
        asksFirmware(step.outcome, [
          word(step.action, 0),
          ...[1, 2, 3].map((n) => argument(step.action, n)),
        ]),
        ensure(
          step.outcome.kind === "registers" && equal(step.outcome.x.slice(1), [0n, 0n, 0n]),
          `x1 to x3 are not 0: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-5",
    kind: "kernel",
    statement: "CPU_ON of an MPIDR that no CPU had at boot is -2 and does not reach the firmware.",
    source: [read("psci_cpu_on, find_cpu_id"), cite("measured", "base: CPU_ON of 9 is -2")],
    on: ["smc"],
    applies: (step) => isCpuOn(step) && targetOf(step) === undefined,
    holds: (step) =>
      all(
        answersItself(step.outcome, PSCI_RET.INVALID_PARAMETERS, 0n, 0n, 0n),
        changesNothing(step),
      ),
  }),
  clause({
    id: "SMC-6",
    kind: "kernel",
    statement: "CPU_ON of a CPU that is being started is -4 and does not reach the firmware.",
    source: [read("psci_cpu_on, try_acquire_boot_args")],
    on: ["smc"],
    applies: cpuOnOf(({ psci }, target) => psci.booting[target] !== undefined),
    holds: (step) =>
      all(answersItself(step.outcome, PSCI_RET.ALREADY_ON, 0n, 0n, 0n), changesNothing(step)),
  }),
  clause({
    id: "SMC-7",
    kind: "kernel",
    statement: "CPU_ON of a CPU that is on is -4, and leaves the lock of its arguments free.",
    source: [
      read("psci_cpu_on, release_boot_args"),
      cite("measured", "base: CPU_ON of 0 and 1 is -4, whatever the address"),
    ],
    on: ["smc"],
    applies: cpuOnOf(({ psci }, target) => psci.power[target] === "on"),
    holds: (step) =>
      all(leaves(step.outcome, PSCI_RET.ALREADY_ON, 0n, 0n, 0n), changesNothing(step)),
  }),
  clause({
    id: "SMC-8",
    kind: "kernel",
    statement: "CPU_ON of a CPU that is off starts it in EL2, which keeps where the host wants it.",
    source: [read("psci_cpu_on")],
    on: ["smc"],
    applies: cpuOnOf(
      ({ psci }, target) => psci.power[target] === "off" && psci.booting[target] === undefined,
    ),
    holds: (step) => {
      const target = targetOf(step) ?? 0;
      const [id, mpidr, entry] = askedOf(step.outcome) ?? [];
      const expected = step.pre.psci.booting.with(target, {
        pc: argument(step.action, 2),
        r0: argument(step.action, 3),
      });
      return all(
        leaves(step.outcome, PSCI_RET.SUCCESS, 0n, 0n, 0n),
        ensure(id === PSCI.CPU_ON && mpidr === BigInt(target), "the firmware starts another CPU"),
        ensure(isCarvedOut(entry), "the CPU starts outside EL2"),
        ensure(equal(step.post.psci.booting, expected), "the arguments are not kept"),
        changesOnly(step, "psci"),
      );
    },
  }),
  clause({
    id: "SMC-9",
    kind: "kernel",
    statement: "CPU_OFF does not come back, and its CPU is off.",
    source: [read("psci_0_2_handler"), cite("PSCI", "CPU_OFF, section 5.5")],
    on: ["smc"],
    applies: isPsciCall(PSCI.CPU_OFF),
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "off" && step.outcome.what === "CPU_OFF",
          `it came back: ${spell(step.outcome)}`,
        ),
        ensure(
          equal(step.post.psci.power, step.pre.psci.power.with(step.action.cpu, "off")),
          "another CPU is off, or none",
        ),
        changesOnly(step, "psci"),
      ),
  }),
  clause({
    id: "SMC-10",
    kind: "kernel",
    statement: "A suspend tells the module's notifier which it is, before the firmware is asked.",
    source: [read("psci_cpu_suspend, psci_system_suspend: pkvm_psci_notify")],
    on: ["smc"],
    applies: (step) => isSuspend(step) && step.pre.dispatch.callbacks.psci_notifier !== undefined,
    holds: (step) => {
      const { outcome, pre } = step;
      const told = outcome.kind === "enters" ? outcome : undefined;
      return all(
        ensure(told?.address === pre.dispatch.callbacks.psci_notifier, "it is not called"),
        ensure(told?.event === eventOf(idOf(step) ?? 0n), `it is told ${told?.event}`),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "SMC-11",
    kind: "kernel",
    statement: "A suspended CPU wakes in EL2, and the host gets what the firmware answers.",
    source: [
      read("psci_cpu_suspend, psci_system_suspend"),
      cite("measured", "base: SYSTEM_SUSPEND is -1"),
    ],
    on: ["smc", "psci_notified"],
    applies: (step) => {
      if (step.action.kind === "psci_notified") return true;
      const notifier = step.pre.dispatch.callbacks.psci_notifier;
      return isSuspend({ ...step, action: step.action }) && notifier === undefined;
    },
    holds: (step) => {
      const asked = askedOf(step.outcome) ?? [];
      const resume = asked[0] === PSCI.SYSTEM_SUSPEND ? asked[1] : asked[2];
      return all(
        leaves(step.outcome, suspended(step.action), 0n, 0n, 0n),
        ensure(isCarvedOut(resume), "the CPU would wake outside EL2"),
        changesNothing(step),
      );
    },
  }),
  clause({
    id: "SMC-12",
    kind: "kernel",
    statement:
      "A call that ends the system waits for the lock of MEM_PROTECT, if need be for ever.",
    source: [read("psci_0_2_handler, psci_1_0_handler: hyp_spin_lock")],
    on: ["smc"],
    applies: (step) => (endsSystem(step) || isReset2(step)) && step.pre.psci.memProtectLocked,
    holds: ({ outcome }) => ensure(outcome.kind === "hang", `it came back: ${spell(outcome)}`),
  }),
  clause({
    id: "SMC-13",
    kind: "kernel",
    statement: "SYSTEM_OFF and SYSTEM_RESET overwrite the firmware of VMs and do not come back.",
    source: [read("psci_0_2_handler: pkvm_poison_pvmfw_pages")],
    on: ["smc"],
    applies: (step) => endsSystem(step) && !step.pre.psci.memProtectLocked,
    holds: (step) =>
      all(
        ensure(step.outcome.kind === "off", `it came back: ${spell(step.outcome)}`),
        ensure(step.post.end?.kind === "off", "the system goes on"),
        ensure(isPoisoned(step.post), "the firmware is still there"),
        changesOnly(step, "psci", "firmware.content", "end"),
      ),
  }),
  clause({
    id: "SMC-14",
    kind: "kernel",
    statement:
      "SYSTEM_RESET2 is SYSTEM_RESET while a guest has memory, and else the firmware's -1.",
    source: [read("psci_1_0_handler: psci_mem_protect_active")],
    on: ["smc"],
    applies: (step) => isReset2(step) && !step.pre.psci.memProtectLocked,
    holds: (step) => {
      const isReset = hasGuestPages(step.pre) && branchOf(step.pre.config).smc.poisonsFirmware;
      return all(
        isReset
          ? ensure(
              step.outcome.kind === "off" && step.outcome.what === "SYSTEM_RESET",
              `it is no SYSTEM_RESET: ${spell(step.outcome)}`,
            )
          : leaves(step.outcome, PSCI_RET.NOT_SUPPORTED, 0n, 0n, 0n),
        ensure(isPoisoned(step.post), "the firmware is still there"),
        ensure(
          step.post.psci.memProtectLocked === branchOf(step.pre.config).smc.poisonsFirmware,
          "the lock is not held",
        ),
        changesOnly(step, "psci", "firmware.content", "end"),
      );
    },
  }),
  clause({
    id: "SMC-15",
    kind: "kernel",
    statement: "A CPU that was started is on, gives its lock back and tells the notifier.",
    source: [read("kvm_host_psci_cpu_entry")],
    on: ["psci_cpu_entry"],
    applies: () => true,
    holds: (step) => {
      const { pre, action, outcome, post } = step;
      const notifier = pre.dispatch.callbacks.psci_notifier;
      return all(
        ensure(pre.psci.booting[action.cpu] !== undefined, "nobody has started it"),
        ensure(
          equal(post.psci, {
            ...pre.psci,
            power: pre.psci.power.with(action.cpu, "on"),
            booting: pre.psci.booting.with(action.cpu, undefined),
          }),
          "it is not on, or the lock is held",
        ),
        notifier === undefined
          ? ensure(outcome.kind === "returned", spell(outcome))
          : ensure(
              outcome.kind === "enters" &&
                outcome.address === notifier &&
                outcome.event === PSCI_EVENT.CPU_ENTRY,
              "the notifier is not told",
            ),
        changesOnly(step, "psci"),
      );
    },
  }),
  clause({
    id: "SMC-16",
    kind: "kernel",
    statement: "AFFINITY_INFO of one CPU says whether it is on.",
    source: [read("psci_forward"), cite("measured", "base: 0 for CPUs 0 and 1, -2 for 7")],
    on: ["smc"],
    applies: (step) => isPsciCall(PSCI.AFFINITY_INFO)(step) && isThisId(step, PSCI.AFFINITY_INFO),
    holds: ({ pre, action, outcome }) => {
      const cpu = argument(action, 1);
      const x0 = outcome.kind === "registers" ? outcome.x[0] : undefined;
      const power = pre.psci.power[Number(cpu)];
      const isBooting = pre.psci.booting[Number(cpu)] !== undefined;
      const one = power === "on" ? 0n : isBooting ? 2n : 1n;
      const level = argument(action, 2);
      const expected = level !== 0n ? 0n : power === undefined ? PSCI_RET.INVALID_PARAMETERS : one;
      return ensure(x0 === expected, `x0 = ${x0}`);
    },
  }),
  clause({
    id: "SMC-17",
    kind: "kernel",
    statement: "A CPU that is off does nothing, and only CPU_ON and EL2's entry bring it back.",
    source: [read("kvm_host_psci_cpu_entry"), cite("PSCI", "CPU_ON, section 5.6")],
    on: EVERY_ACTION,
    applies: ({ pre }) => pre.psci.power.includes("off"),
    holds: ({ pre, action, post }) => {
      const actor = actorOf(action);
      const cameBack = pre.psci.power.some(
        (power, cpu) => power === "off" && post.psci.power[cpu] === "on",
      );
      return all(
        ensure(actor === undefined || pre.psci.power[actor] === "on", `CPU ${actor} is off`),
        ensure(!cameBack || action.kind === "psci_cpu_entry", "a CPU came back by itself"),
      );
    },
  }),
];
