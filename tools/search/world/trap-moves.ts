// Traps of the host in a small world: SMCs, aborts, and the callbacks of modules that they reach.

import { FFA, FFA_BLOCKED, PSCI } from "../../../spec/smccc.ts";
import type { Action } from "../../../spec/types/action.ts";
import { negative } from "../../../spec/types/errno.ts";
import { PROT } from "../../../spec/types/module.ts";
import { type Outcome, signed } from "../../../spec/types/outcome.ts";
import type { At, Callback } from "./at.ts";
import { HOST } from "./at.ts";
import { address, type Move, type World, type WorldState } from "./world.ts";

/** Where a CPU that is started enters the host: any address. */
const ENTRY = 0x4100_0000n;
/** A function of a silicon vendor: PSCI and FF-A leave it. */
const VENDOR = 0x8300_0000n;
/** A data abort from EL1, and an access to a system register. Source: DDI0487 D24.2.40. */
const ABORT_ESR = 0x9200_004fn;
const TRAP_ESR = 0x6200_0000n;

const moveOf = (action: Action): Move => ({
  cpu: "cpu" in action ? action.cpu : 0,
  choice: "",
  action,
});

/**
 * SMCs of the host: PSCI, FF-A, a vendor's; those that end the system last. One CPU makes them for
 * all; the others can start it again.
 */
export function smcActions({ size }: World, cpu: number): readonly Action[] {
  if (!size.smcs) return [];
  const smc = (...x: readonly bigint[]): Action => ({ kind: "smc", cpu, x });
  const last = BigInt(size.cpus - 1);
  if (cpu !== size.cpus - 1) return [smc(PSCI.CPU_ON, last, ENTRY, 0x77n)];
  return [
    smc(PSCI.VERSION),
    smc(PSCI.FEATURES, PSCI.CPU_ON),
    smc(PSCI.AFFINITY_INFO, last),
    smc(0x8400_0013n),
    ...[last, 9n].map((mpidr) => smc(PSCI.CPU_ON, mpidr, ENTRY, 0x77n)),
    smc(PSCI.CPU_SUSPEND, 0n, ENTRY),
    smc(PSCI.SYSTEM_SUSPEND, ENTRY),
    smc(PSCI.CPU_OFF),
    smc(FFA.VERSION, 0x1_0000n),
    smc(FFA_BLOCKED[0] ?? 0n),
    smc(FFA.FEATURES, FFA.MEM_RECLAIM),
    smc(FFA.RXTX_MAP, 0x4000_0000n, 0x4000_1008n, 1n),
    smc(FFA.RXTX_MAP, 0x4000_0000n, 0x4000_1000n, 1n),
    smc(FFA.MEM_SHARE, 0x100n, 0x100n),
    smc(FFA.MEM_RECLAIM),
    smc(VENDOR),
    smc(PSCI.SYSTEM_RESET2),
    smc(PSCI.SYSTEM_OFF),
    smc(PSCI.SYSTEM_RESET),
  ];
}

/** Accesses of the host that stage 2 refuses, and a trap that EL2 does not know. */
export function abortActions(
  { size, pages }: World,
  cpu: number,
  state: WorldState,
): readonly Action[] {
  if (!size.aborts || !state.boot.hypUp || state.boot.mode !== "protected") return [];
  const faults = pages.flatMap((page): Action[] => {
    const kept = state.pages.get(page);
    if (kept === undefined) return [];
    if (kept.host === "NOPAGE") return [{ kind: "host_mem_abort", cpu, page }];
    const isWhole = kept.prot === undefined || kept.prot === (PROT.R | PROT.W | PROT.X);
    const fault = { kind: "host_perm_fault", cpu, esr: ABORT_ESR, ipa: address(page) } as const;
    return isWhole ? [] : [fault];
  });
  return [...faults, { kind: "host_trap", cpu, esr: TRAP_ESR }];
}

/** The ops by which a module asks to be called. */
export const registrations = ({ size }: World): readonly string[] => [
  ...(size.smcs ? ["register_host_smc_handler", "register_psci_notifier"] : []),
  ...(size.aborts
    ? [
        "register_host_perm_fault_handler",
        "register_illegal_abt_notifier",
        "register_default_trap_handler",
      ]
    : []),
];

/** What a callback answers. It does nothing else here; what EL2 code can do, handlers do. */
function callbackMoves(cpu: number, { of, handler, x }: Callback): readonly Move[] {
  const back = { cpu, choice: "returns", action: undefined } as const;
  switch (of) {
    case "smc": {
      const kind = "host_smc_handler_returned";
      return [
        moveOf({ kind, cpu, handler, handled: true, x: [0n, 0x33n] }),
        moveOf({ kind, cpu, handler, handled: false, x }),
      ];
    }
    case "psci":
      return [moveOf({ kind: "psci_notified", cpu, x })];
    case "fault":
      return [0, negative("EAGAIN"), negative("EPERM"), negative("EINVAL")].map((value) =>
        moveOf({ kind: "host_perm_fault_handler_returned", cpu, handler, value }),
      );
    case "trap":
      return [true, false].map((handled) =>
        moveOf({ kind: "default_trap_handler_returned", cpu, handled }),
      );
    default:
      return [back];
  }
}

/** What a CPU does on its way through a trap, or while it is off. */
export function trapMoves(cpu: number, state: WorldState, at: At): readonly Move[] {
  switch (at.at) {
    case "callback":
      return callbackMoves(cpu, at);
    case "powered off":
      return state.psci.booting[cpu] === undefined ? [] : [moveOf({ kind: "psci_cpu_entry", cpu })];
    case "aborting":
      return [moveOf({ kind: "illegal_abort", cpu, esr: ABORT_ESR })];
    case "injecting":
      return [true, false].map((fromEl1) =>
        moveOf({ kind: "host_inject_abort", cpu, esr: ABORT_ESR, fromEl1 }),
      );
    default:
      return [];
  }
}

/** Which callback an action enters. */
function callbackOf(action: Action, outcome: Outcome & { kind: "enters" }): Callback {
  const entered = (of: Callback["of"], x: readonly bigint[] = [], handler = 0): Callback => ({
    at: "callback",
    of,
    x,
    handler,
  });
  switch (action.kind) {
    case "smc":
      return entered(outcome.event === undefined ? "smc" : "psci", action.x);
    case "host_smc_handler_returned":
      return entered("smc", action.x, action.handler + 1);
    case "host_perm_fault":
      return entered("fault");
    case "host_perm_fault_handler_returned":
      return entered("fault", [], action.handler + 1);
    case "host_trap":
      return entered("trap");
    case "illegal_abort":
      return entered("abort");
    default:
      return entered("entry");
  }
}

const isAborted = (outcome: Outcome): boolean =>
  outcome.kind === "returned" && Number(signed(outcome.value)) === negative("EPERM");

/** Where the CPU is after an action of a trap; nothing where the action is none of these. */
export function afterTrap(action: Action, outcome: Outcome): At | undefined {
  switch (action.kind) {
    case "smc":
    case "host_smc_handler_returned":
    case "psci_notified":
    case "psci_cpu_entry":
    case "host_trap":
    case "default_trap_handler_returned":
      if (outcome.kind === "enters") return callbackOf(action, outcome);
      return outcome.kind === "off" ? { at: "powered off" } : HOST;
    case "host_perm_fault":
    case "host_perm_fault_handler_returned":
      if (outcome.kind === "enters") return callbackOf(action, outcome);
      return isAborted(outcome) ? { at: "aborting" } : HOST;
    case "host_mem_abort":
      return { at: "aborting" };
    case "illegal_abort":
      return outcome.kind === "enters" ? callbackOf(action, outcome) : { at: "injecting" };
    case "host_inject_abort":
      return HOST;
    default:
      return undefined;
  }
}

/** Where a callback that answers nothing goes on. */
export const afterSilentCallback = ({ of }: Callback): At =>
  of === "abort" ? { at: "injecting" } : HOST;
