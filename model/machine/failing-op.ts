// An op that fails inside a handler: what the module makes of it, beside the same call without.

import { type Errno, negative } from "../../spec/types/errno.ts";
import type { LogEvent } from "../log.ts";
import type { FailingOp } from "../scenario.ts";
import { over, perform, type System } from "./system.ts";

/** A call one of whose ops is made to fail. Mutable: it goes with the run. */
export interface Failing {
  readonly cpu: number;
  /** Ops that can fail and are let pass before it. */
  left: number;
  readonly errno: Errno;
  /** The op that failed, once it has. */
  failed: { readonly op: string; readonly from: bigint } | undefined;
}

export const failingOf = (cpu: number, { nth, errno }: FailingOp): Failing => ({
  cpu,
  left: nth,
  errno,
  failed: undefined,
});

/** Ops that answer an errno, or NULL. Source: struct pkvm_module_ops (android14-6.1). */
export const FALLIBLE: ReadonlySet<string> = new Set([
  "alloc_module_va",
  "create_private_mapping",
  "host_donate_hyp",
  "host_share_hyp",
  "host_stage2_mod_prot",
  "host_stage2_mod_prot_range",
  "host_unshare_hyp",
  "hyp_donate_host",
  "map_module_page",
  "pin_shared_mem",
]);

/** The answer of an op that is made to fail now; undefined where it does what it does. */
export function failure(
  { failing }: System,
  op: string,
  cpu: number,
  from: bigint,
): bigint | undefined {
  if (failing === undefined || failing.cpu !== cpu || !FALLIBLE.has(op)) return undefined;
  failing.left -= 1;
  if (failing.left !== -1) return undefined;
  failing.failed = { op, from };
  return op === "alloc_module_va" ? 0n : BigInt.asUintN(64, BigInt(negative(failing.errno)));
}

/** The ops that a call made, as far as the log goes. */
const opsOf = (log: readonly LogEvent[]): string[] =>
  log.flatMap((event) =>
    event.kind === "step" && event.step.action.kind === "op"
      ? [`${event.step.action.op} ${event.step.action.args.slice(0, 2).join()}`]
      : [],
  );

/** Holds a call in which an op failed against the same call in which it did not, as a step. */
export function compareFailing(
  system: System,
  failing: Failing,
  since: number,
  other: System,
  answers: readonly [readonly bigint[] | undefined, readonly bigint[] | undefined],
): void {
  const { failed, cpu, errno } = failing;
  const [answer, otherAnswer] = answers;
  if (over(system) || failed === undefined) return;
  if (answer === undefined || otherAnswer === undefined) return;
  const ops = opsOf(system.log.slice(since));
  const otherOps = opsOf(other.log);
  perform(system, {
    kind: "op_failed",
    cpu,
    op: failed.op,
    errno,
    answer,
    otherAnswer,
    // The one that failed is in the other list only.
    opCount: ops.length + 1,
    otherOpCount: otherOps.length,
    from: failed.from,
  });
}
