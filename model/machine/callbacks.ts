// Modules' callbacks: when EL2 calls them, with which arguments, and what becomes of their answer.

import { PSCI_EVENT } from "../../spec/smccc.ts";
import { type HypVa, pfnOf, physAddr } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import { beginsAnswer, endsAnswer } from "./answer-writer.ts";
import type { AbortAnswer, Environment, HvcAnswer, Ran, TrapAnswer } from "./answers.ts";
import { type HostAbort, isFromEl1 } from "./host-abort.ts";
import { readHostRegister, writeHostRegister, writeHostRegisters } from "./host-context.ts";
import { budgetOf } from "./interleave.ts";
import { hostContext } from "./layout.ts";
import { startKernel } from "./registers.ts";
import { callEl2 } from "./run.ts";
import { nested, over, perform, type System } from "./system.ts";
import { enteringEl2 } from "./watch.ts";

/** What callbacks need of whoever runs the system. */
export interface Caller {
  readonly system: System;
  readonly env: Environment;
  /** Takes note of how the code stopped; true when it returned. */
  readonly settled: (cpu: number, ran: Ran) => ran is Ran & { kind: "returned" };
}

const ENDED = { kind: "ended" } as const;

/** x0 to x17 of the host that trapped on a CPU. */
export const hostRegisters = ({ machine }: System, cpu: number): readonly bigint[] =>
  Array.from({ length: 18 }, (_, n) => readHostRegister(machine, cpu, n));

/** Calls a module's callback; its x0, or nothing if it did not return. */
export function callBack(
  { system, env, settled }: Caller,
  cpu: number,
  address: HypVa,
  args: readonly bigint[],
): bigint | undefined {
  const { machine, watch } = system;
  enteringEl2(system, cpu);
  beginsAnswer(watch?.answers, cpu, 2);
  const ran = nested(system, () =>
    callEl2(machine, cpu, address, args, env, budgetOf(system), "callback"),
  );
  if (!settled(cpu, ran)) return undefined;
  const { from } = endsAnswer(watch?.answers, cpu, 2, ran.x[0]);
  if (watch !== undefined) watch.answered = from;
  return ran.x[0];
}

/** Who made the answer of the callback that came back last, if somebody looks. */
const madeBy = ({ watch }: System): { readonly from?: bigint } =>
  watch?.answered === undefined ? {} : { from: watch.answered };

/** A bool is 8 bits of x0. Source: AAPCS64, C types. */
export const isTrue = (x0: bigint): boolean => (x0 & 0xffn) !== 0n;

/** The registers after an SMC that was answered: x0 and up as answered, the others as they are. */
function answered(
  system: System,
  cpu: number,
  outcome: Outcome & { kind: "registers" },
): HvcAnswer {
  const registers = hostRegisters(system, cpu);
  return { kind: "registers", x: registers.map((old, n) => outcome.x[n] ?? old) };
}

/** A CPU that the firmware started: EL2's entry, the notifier, and then the host's own start. */
function startCpu(caller: Caller, cpu: number): void {
  const { system } = caller;
  const { machine, hyp } = system;
  const arguments_ = hyp.psci.booting[cpu];
  const core = machine.cores[cpu];
  if (arguments_ === undefined || core === undefined) return;
  writeHostRegister(machine, cpu, 0, arguments_.r0);
  const { outcome } = nested(system, () => perform(system, { kind: "psci_cpu_entry", cpu }));
  // CHOICE: what the host does at its entry is its own; it ends as every CPU of the kernel begins.
  const { HCR_EL2 } = core.sysreg;
  startKernel(core, cpu, machine.branch.layout.vaBits);
  core.sysreg.HCR_EL2 = HCR_EL2;
  if (outcome.kind !== "enters") return;
  callBack(caller, cpu, outcome.address, [BigInt(PSCI_EVENT.CPU_ENTRY), hostContext(cpu)]);
}

/** Goes on where the first answer to an SMC was to enter a module's code. */
function afterCallback(
  caller: Caller,
  cpu: number,
  x: readonly bigint[],
  entered: Outcome & { kind: "enters" },
): Outcome | undefined {
  const { system } = caller;
  const { address, event } = entered;
  if (event !== undefined) {
    if (callBack(caller, cpu, address, [BigInt(event), hostContext(cpu)]) === undefined) return;
    return perform(system, { kind: "psci_notified", cpu, x: x.slice(0, 4) }).outcome;
  }
  let next: Outcome = entered;
  for (let handler = 0; next.kind === "enters"; handler += 1) {
    const handled = callBack(caller, cpu, next.address, [hostContext(cpu)]);
    if (handled === undefined) return;
    const x = hostRegisters(system, cpu);
    const returned = { kind: "host_smc_handler_returned", cpu, handler, x } as const;
    next = perform(system, { ...returned, handled: isTrue(handled) }).outcome;
  }
  return next;
}

/**
 * Any other trap of the host: the module's handler, which moves ELR_EL2 itself where it emulates.
 */
export function answerTrap(caller: Caller, cpu: number, esr: bigint): TrapAnswer {
  const { system } = caller;
  const { outcome } = nested(system, () => perform(system, { kind: "host_trap", cpu, esr }));
  if (over(system) || outcome.kind !== "enters") return ENDED;
  const x0 = callBack(caller, cpu, outcome.address, [hostContext(cpu)]);
  if (x0 === undefined) return ENDED;
  const back = { kind: "default_trap_handler_returned", cpu, handled: isTrue(x0) } as const;
  perform(system, { ...back, ...madeBy(system) });
  return over(system) ? ENDED : { kind: "resume", advance: false };
}

/** The handlers of a permission fault in turn; what the last of them answered, as an errno. */
function permissionFault(caller: Caller, cpu: number, abort: HostAbort): number | undefined {
  const { system } = caller;
  const { esr, ipa } = abort;
  let { outcome } = perform(system, { kind: "host_perm_fault", cpu, esr, ipa });
  for (let handler = 0; outcome.kind === "enters"; handler += 1) {
    const x0 = callBack(caller, cpu, outcome.address, [hostContext(cpu), esr, ipa]);
    if (x0 === undefined) return undefined;
    const value = Number(BigInt.asIntN(32, x0));
    const back = { kind: "host_perm_fault_handler_returned", cpu, handler, value } as const;
    ({ outcome } = perform(system, { ...back, ...madeBy(system) }));
  }
  return outcome.kind === "returned" ? Number(BigInt.asIntN(64, outcome.value)) : undefined;
}

/**
 * An abort that is not resolved by mapping: a module decides about permissions; what the host gets
 * the notifier hears of first. Source: handle_host_mem_abort, hyp/nvhe/mem_protect.c.
 */
export function answerAbort(caller: Caller, cpu: number, abort: HostAbort): AbortAnswer {
  const { system } = caller;
  if (abort.reason === "permission") {
    const errno = permissionFault(caller, cpu, abort);
    if (errno === undefined || over(system)) return ENDED;
    if (errno !== negative("EPERM")) return { kind: "retry" };
  }
  if (abort.reason === "not the host's") {
    perform(system, { kind: "host_mem_abort", cpu, page: pfnOf(physAddr(abort.ipa)) });
    if (over(system)) return ENDED;
  }
  const { esr } = abort;
  const { outcome } = perform(system, { kind: "illegal_abort", cpu, esr });
  if (outcome.kind === "enters") {
    if (callBack(caller, cpu, outcome.address, [hostContext(cpu)]) === undefined) return ENDED;
  }
  const core = system.machine.cores[cpu];
  const fromEl1 = core === undefined || isFromEl1(core);
  perform(system, { kind: "host_inject_abort", cpu, esr, fromEl1 });
  return { kind: "inject" };
}

/** EL2 is about to stop: the module's notifier is told first. Source: hyp_panic, nvhe/switch.c. */
export function notifyPanic(caller: Caller, cpu: number): void {
  const address = caller.system.hyp.dispatch.callbacks.hyp_panic_notifier;
  if (address !== undefined) callBack(caller, cpu, address, [hostContext(cpu)]);
}

/** An SMC of the host: PSCI, FF-A, a module's handler, the firmware. */
export function answerSmc(
  caller: Caller,
  cpu: number,
  imm: number,
  x: readonly bigint[],
): HvcAnswer {
  const { system } = caller;
  // Without pKVM the SMC is not trapped, and nobody has put the registers there.
  writeHostRegisters(system.machine, cpu, x);
  const first = nested(system, () => perform(system, { kind: "smc", cpu, imm, x }));
  if (over(system)) return ENDED;
  const outcome =
    first.outcome.kind === "enters"
      ? nested(system, () => afterCallback(caller, cpu, x, first.outcome as never))
      : first.outcome;
  if (outcome?.kind !== "registers" || over(system)) return ENDED;
  const answer = answered(system, cpu, outcome);
  for (const started of system.hyp.psci.booting.keys()) startCpu(caller, started);
  return over(system) ? ENDED : answer;
}
