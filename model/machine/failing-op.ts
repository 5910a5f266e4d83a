// Ops that fail inside module code: what it makes of them, beside the same without the last one.

import { failsWithNull, opErrnos } from "../../spec/branches/op-errors.ts";
import { addressOf } from "../../spec/types/address.ts";
import { type Errno, negative } from "../../spec/types/errno.ts";
import { PROT } from "../../spec/types/module.ts";
import type { Outcome } from "../../spec/types/outcome.ts";
import type { LogEvent } from "../log.ts";
import type { BootPlan, FailingOp } from "../scenario.ts";
import { over, perform, type System } from "./system.ts";

/** An op that was made to fail. */
interface Failed {
  readonly op: string;
  readonly errno: Errno;
  /** The call of it. */
  readonly from: bigint;
}

/** Code some of whose ops are made to fail. Mutable: it goes with the run. */
export interface Failing {
  readonly ops: readonly FailingOp[];
  /** Ops that can fail and that were called. */
  called: number;
  readonly failed: Failed[];
}

export const failingOf = (ops: readonly FailingOp[]): Failing => ({ ops, called: 0, failed: [] });

/** A copy without the last of its ops. */
export const withoutLast = ({ ops, called, failed }: Failing): Failing => ({
  ops: ops.slice(0, -1),
  called,
  failed: [...failed],
});

/** The ops of EL2 inits that a boot makes fail. */
export function failingInits({ faults }: BootPlan): Failing | undefined {
  const ops = faults.flatMap(({ call, nth, errno }) =>
    call === "op in an EL2 init" ? [{ nth, errno }] : [],
  );
  return ops.length === 0 ? undefined : failingOf(ops);
}

/** The errors that an op can give on the branch of a system. */
export const errnosOf = ({ hyp }: Pick<System, "hyp">, op: string): readonly Errno[] =>
  opErrnos(hyp.config.branch, op);

/** Whether an op did what it was asked for. */
export const succeeded = (op: string, outcome: Outcome): boolean =>
  outcome.kind === "returned" &&
  (failsWithNull(op) ? outcome.value !== 0n : BigInt.asIntN(64, outcome.value) >= 0n);

/** The answer of an op that is made to fail now; undefined where it does what it does. */
export function failure(system: System, op: string, from: bigint): bigint | undefined {
  const { failing } = system;
  if (failing === undefined || errnosOf(system, op).length === 0) return undefined;
  const { called } = failing;
  failing.called += 1;
  const now = failing.ops.find(({ nth }) => nth === called);
  if (now === undefined) return undefined;
  failing.failed.push({ op, errno: now.errno, from });
  return failsWithNull(op) ? 0n : BigInt.asUintN(64, BigInt(negative(now.errno)));
}

/** How many ops a call made, as far as the log goes. */
const opCountOf = (log: readonly LogEvent[]): number =>
  log.filter((event) => event.kind === "step" && event.step.action.kind === "op").length;

/** One of two runs of the same code. */
export interface FailingRun {
  readonly failing: Failing | undefined;
  readonly system: System;
  readonly log: readonly LogEvent[];
  /** Registers afterwards; undefined where it did not come back. */
  readonly answer: readonly bigint[] | undefined;
}

/** Whether the modules' own data is the same after two runs. */
const sameData = (one: System, other: System): boolean =>
  [...one.hyp.modules.values()].every(({ sections }) =>
    sections.every(
      ({ prot, pfns }) =>
        (prot & PROT.W) === 0 ||
        pfns.every((page) => {
          const [a, b] = [one, other].map(({ machine }) =>
            machine.physical.readPage(addressOf(page)),
          );
          return a?.every((word, n) => word === b?.[n]) === true;
        }),
    ),
  );

/** Holds code in which an op failed against the same code in which the last did not, as a step. */
export function compareFailing(cpu: number, run: FailingRun, other: FailingRun): void {
  const { system } = run;
  const failed = run.failing?.failed ?? [];
  const last = failed.at(-1);
  if (over(system) || last === undefined || failed.length < (run.failing?.ops.length ?? 0)) return;
  if (run.answer === undefined || other.answer === undefined) return;
  perform(system, {
    kind: "op_failed",
    cpu,
    op: last.op,
    errno: last.errno,
    answer: run.answer,
    otherAnswer: other.answer,
    opCount: opCountOf(run.log) + failed.length,
    otherOpCount: opCountOf(other.log) + (other.failing?.failed.length ?? 0),
    noted: !sameData(system, other.system),
    from: last.from,
  });
}
