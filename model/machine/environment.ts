// What the code that runs on the machine gets when it asks: kernel functions, hypercalls, module
// ops.

import { branchOf } from "../../spec/branches/branches.ts";
import type { Hvc } from "../../spec/types/action.ts";
import { type HypVa, kernVa } from "../../spec/types/address.ts";
import { hypercall } from "../kernel/hypercall.ts";
import { loadEl2Module } from "../kernel/load-el2-module.ts";
import { el2InitOf, thisModuleAddress } from "../kernel/struct-module.ts";
import type { ModelStep } from "../step.ts";
import { beginsAnswer, endsAnswer } from "./answer-writer.ts";
import type { Answer, Environment, HvcAnswer, Ran } from "./answers.ts";
import { answerAbort, answerSmc, answerTrap, type Caller } from "./callbacks.ts";
import { compareFailing, type FailingRun, failure, withoutLast } from "./failing-op.ts";
import { forkSystem } from "./fork-system.ts";
import { runVcpu } from "./guest-environment.ts";
import { readHostRegister, writeHostRegister } from "./host-context.ts";
import { hostWords } from "./host-words.ts";
import { budgetOf, interleave } from "./interleave.ts";
import { writeKernel64 } from "./kernel-memory.ts";
import { opEffect } from "./op-effects.ts";
import { callEl2, enterHandler } from "./run.ts";
import { printed } from "./serial.ts";
import { nested, over, perform, type System, stop } from "./system.ts";
import {
  calledFrom,
  entering,
  enteringEl2,
  leftBehind,
  watchInstruction,
  watchOp,
} from "./watch.ts";

const ENDED = { kind: "ended" } as const;
const value = (number: number | bigint): Answer => ({
  kind: "value",
  x0: BigInt.asUintN(64, BigInt(number)),
});

/** The environment of a system; it holds nothing of its own. */
export function environmentOf(system: System): Environment {
  return {
    printk: (text) => system.log.push({ kind: "console", text }),
    kernelFunction: (name, args, cpu) => kernelFunction(system, name, args, cpu),
    hvc: (cpu, imm, x) => recordHvc(system, cpu, imm, x),
    smc: (cpu, x, imm) => answerSmc(callerOf(system), cpu, imm, x),
    hostAbort: (cpu, abort) => answerAbort(callerOf(system), cpu, abort),
    hostTrap: (cpu, esr) => answerTrap(callerOf(system), cpu, esr),
    op: (op, args, cpu) => answerOp(system, op, args, cpu),
    ...traceOf(system),
  };
}

/** What is done before each instruction, where somebody wants to know or to interfere. */
function traceOf(system: System): Pick<Environment, "trace"> {
  if (system.watch === undefined && system.interleaving === undefined) return {};
  return {
    trace: (cpu, pc, word) => {
      interleave(system, cpu);
      watchInstruction(system, cpu, pc, word);
    },
  };
}

/** What modules' callbacks run in. */
export const callerOf = (system: System): Caller => ({
  system,
  env: environmentOf(system),
  settled: (cpu, ran): ran is Ran & { kind: "returned" } => settled(system, cpu, ran),
});

/** Takes note of how EL2 or EL1 code stopped; true when it returned. */
export function settled(system: System, cpu: number, ran: Ran): ran is Ran & { kind: "returned" } {
  if (ran.kind !== "ended" && ran.kind !== "unmodelled") system.instructions += ran.instructions;
  switch (ran.kind) {
    case "returned":
      return !over(system);
    case "exception": {
      if (over(system)) return false;
      const { esr, elr, far, entered, lr } = ran;
      const last = ran.el === 2 ? system.watch?.at.get(cpu) : undefined;
      const from = last === undefined ? {} : { from: last };
      const exception = { cpu, esr, elr, far } as const;
      if (ran.el === 2)
        perform(system, { kind: "el2_exception", ...exception, entered, lr, ...from });
      else perform(system, { kind: "host_oops", ...exception });
      return false;
    }
    case "budget":
      if (system.interleaving?.inside === true) {
        stop(system, `CPU ${cpu} waits for the CPU that was stopped`);
      } else if (!over(system)) {
        perform(system, { kind: "budget_spent", cpu, where: ran.where, pc: ran.pc });
      }
      return false;
    case "panic":
      if (!over(system)) perform(system, { kind: "host_panic", cpu, why: ran.what });
      return false;
    case "unmodelled":
      stop(system, ran.what);
      return false;
    case "ended":
      return false;
  }
}

/**
 * The kernel functions that belong to pKVM; the rest of what modules call is answered below this.
 */
function kernelFunction(
  system: System,
  name: string,
  args: readonly bigint[],
  cpu: number,
): Answer {
  switch (name) {
    case "__pkvm_load_el2_module":
      return load(system, cpu, args[0] ?? 0n, tokenOf(system, args));
    case "__pkvm_register_el2_call": {
      const answer = hypercall(system, cpu, "__pkvm_register_hcall", [args[0] ?? 0n]);
      if (answer === undefined) return ENDED;
      if (answer.x0 !== 0n) warn(system, "__pkvm_register_el2_call: x0 is not SUCCESS");
      return value(BigInt.asIntN(32, answer.x1));
    }
    case "pkvm_iommu_finalize":
      perform(system, { kind: name, value: Number(BigInt.asIntN(32, args[0] ?? 0n)) });
      return over(system) ? ENDED : value(0);
    default: {
      const stub = system.options.stubs?.get(name);
      if (stub === undefined) {
        stop(system, `kernel function ${name}`);
        return ENDED;
      }
      system.stubbed.add(name);
      return value(stub);
    }
  }
}

/** Where the token goes; the function of 6.18 has one argument, and what is in x1 is nobody's. */
const tokenOf = ({ hyp }: System, args: readonly bigint[]): bigint =>
  branchOf(hyp.config).loadTakesToken ? (args[1] ?? 0n) : 0n;

/** A warning of the kernel: a line on the console. */
const warn = (system: System, text: string): void => {
  system.log.push({ kind: "console", text: `WARNING: ${text}` });
};

/**
 * __pkvm_load_el2_module(mod, token): the module is the one whose struct module is at that address.
 */
function load(system: System, cpu: number, module: bigint, tokenAt: bigint): Answer {
  const image = [...system.images.values()].find(
    ({ loaded }) => thisModuleAddress(loaded) === module,
  );
  if (image === undefined) {
    stop(system, `__pkvm_load_el2_module of 0x${module.toString(16)}, which is no module`);
    return ENDED;
  }
  const { loaded } = image;
  if (loaded.hyp === undefined) {
    stop(system, `${loaded.file.name}: pkvm_load_el2_module without .hyp.text`);
    return ENDED;
  }
  const init = el2InitOf(system, loaded);
  if (init === undefined) {
    stop(system, `${loaded.file.name}: no EL2 init in a struct module of unknown layout`);
    return ENDED;
  }
  const result = loadEl2Module(system, cpu, loaded.file.name, loaded.hyp, init);
  if (result === undefined) return ENDED;
  if (result.token !== undefined && tokenAt !== 0n) {
    writeKernel64(system.machine, kernVa(tokenAt), result.token);
  }
  return value(result.value);
}

/**
 * An HVC that module code itself executes is logged here; of the others, whoever makes them keeps
 * the record.
 */
function recordHvc(system: System, cpu: number, imm: number, before: readonly bigint[]): HvcAnswer {
  const isOurs = system.calling.has(cpu);
  const answer = answerHvc(system, cpu, imm, before, isOurs ? {} : moduleAtHvc(system, cpu));
  if (isOurs) return answer;
  const after = answer.kind === "registers" ? [...answer.x] : undefined;
  system.log.push({ kind: "hvc", cpu, imm, before: [...before], after, by: "module" });
  return answer;
}

/** The module whose EL1 code executed the HVC that a CPU is in: it returns behind it. */
function moduleAtHvc({ machine, images }: System, cpu: number): Pick<Hvc, "caller"> {
  const from = machine.cores[cpu]!.sysreg.ELR_EL2 - 4n;
  for (const [module, { loaded }] of images) {
    const has = loaded.sections.some(
      ({ address, size }) => from >= address && from < address + BigInt(size),
    );
    if (has) return { caller: { module, from } };
  }
  return {};
}

/** One HVC of the host at EL2: the dispatcher's answer, or the handler that it enters. */
function answerHvc(
  system: System,
  cpu: number,
  imm: number,
  x: readonly bigint[],
  by: Pick<Hvc, "caller">,
): HvcAnswer {
  const called = { kind: "hvc", cpu, imm, x, ...by } as const;
  const words = hostWords(system.machine, system.hyp, called);
  const done = nested(system, () => perform(system, { ...called, ...words }));
  if (over(system)) return ENDED;
  if (done.outcome.kind === "enters") {
    const { address, hostX0 } = done.outcome;
    return done.transition === "__pkvm_init_module"
      ? enterInit(system, cpu, address)
      : enterRegistered(system, cpu, address, hostX0);
  }
  if (done.outcome.kind === "runs") return runVcpu(system, cpu, done.outcome.entry, x);
  if (done.outcome.kind !== "hcall") throw new Error(`HVC answered by ${done.outcome.kind}`);
  const after = [...x];
  after[0] = done.outcome.x0;
  if (done.outcome.x1 !== undefined) after[1] = done.outcome.x1;
  return { kind: "registers", x: after };
}

/** Source: __pkvm_init_module: init(&module_ops), and its int is the answer. */
function enterInit(system: System, cpu: number, address: HypVa): HvcAnswer {
  const { failingInits, watch } = system;
  const good = failingInits === undefined ? undefined : besideInit(system, cpu, address);
  system.failing = failingInits;
  const since = system.log.length;
  enteringEl2(system, cpu);
  beginsAnswer(watch?.answers, cpu, 2);
  const ran = runInit(system, cpu, address);
  system.failing = undefined;
  if (!settled(system, cpu, ran)) return ENDED;
  if (good !== undefined) {
    const log = system.log.slice(since);
    compareFailing(cpu, { failing: failingInits, system, log, answer: ran.x.slice(0, 1) }, good);
  }
  const from = endsAnswer(watch?.answers, cpu, 2, ran.x[0]);
  const back = perform(system, { kind: "el2_init_returned", cpu, value: ran.x[0] ?? 0n, ...from });
  return hostRegisters(system, cpu, back);
}

const runInit = (system: System, cpu: number, address: HypVa): Ran =>
  nested(system, () =>
    callEl2(
      system.machine,
      cpu,
      address,
      [system.opsTable],
      environmentOf(system),
      budgetOf(system),
    ),
  );

/** The same init on a copy, all but the last of the ops failing. */
function besideInit(system: System, cpu: number, address: HypVa): FailingRun {
  const copy = forkSystem(system);
  const failing = system.failingInits && withoutLast(system.failingInits);
  copy.failing = failing;
  const ran = runInit(copy, cpu, address);
  const answer = settled(copy, cpu, ran) ? ran.x.slice(0, 1) : undefined;
  return { failing, system: copy, log: copy.log, answer };
}

/**
 * Source: handle_host_dynamic_hcall: x0 is SUCCESS on 6.1, then the handler gets the host's
 * context.
 */
function enterRegistered(
  system: System,
  cpu: number,
  address: HypVa,
  hostX0: bigint | undefined,
): HvcAnswer {
  const { machine } = system;
  if (hostX0 !== undefined) writeHostRegister(machine, cpu, 0, hostX0);
  entering(system, cpu);
  const ran = nested(system, () =>
    enterHandler(machine, cpu, address, environmentOf(system), budgetOf(system)),
  );
  if (!settled(system, cpu, ran)) return ENDED;
  const x = Array.from({ length: 18 }, (_, n) => readHostRegister(machine, cpu, n));
  perform(system, {
    kind: "handler_returned",
    cpu,
    x: x.slice(0, 4),
    ...leftBehind(system, cpu, x[0]),
  });
  return over(system) ? ENDED : { kind: "registers", x };
}

/** The host's registers with the answer of a hypercall in them. */
function hostRegisters(system: System, cpu: number, { outcome }: ModelStep): HvcAnswer {
  if (over(system) || outcome.kind !== "hcall") return ENDED;
  const x = Array.from({ length: 18 }, (_, n) => readHostRegister(system.machine, cpu, n));
  x[0] = outcome.x0;
  if (outcome.x1 !== undefined) x[1] = outcome.x1;
  return { kind: "registers", x };
}

/** A slot of struct pkvm_module_ops, called by EL2 code. */
function answerOp(system: System, op: string, args: readonly bigint[], cpu: number): Answer {
  const from = calledFrom(system, cpu);
  watchOp(system, { cpu, op, args, from });
  if (over(system)) return ENDED;
  const failed = failure(system, op, from);
  if (failed !== undefined) return { kind: "value", x0: failed };
  const { outcome } = perform(system, { kind: "op", cpu, op, args, from });
  if (over(system) || outcome.kind !== "returned") return ENDED;
  const shown = printed(callerOf(system), cpu, op, args);
  if (typeof shown === "object") return { kind: "fault", fault: shown.fault };
  if (!shown || over(system)) return ENDED;
  const done = opEffect(system.machine, { cpu, op, args, value: outcome.value, hyp: system.hyp });
  return done ?? { kind: "value", x0: outcome.value };
}
