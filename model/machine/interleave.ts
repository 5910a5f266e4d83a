// Two CPUs at once: what another CPU does while one is inside a handler, at a chosen instruction.

import type { HostAction, Meanwhile } from "../scenario.ts";
import { over, type System } from "./system.ts";

/** An HVC whose handler is stopped on the way. Mutable: it goes with the run. */
export interface Interleaving {
  readonly cpu: number;
  /** Instructions of module code that it has executed. */
  executed: number;
  readonly left: Meanwhile[];
  /** Whether another CPU acts just now. */
  inside: boolean;
  readonly act: (action: HostAction) => void;
}

export const interleavingOf = (
  cpu: number,
  meanwhile: readonly Meanwhile[],
  act: (action: HostAction) => void,
): Interleaving => ({
  cpu,
  executed: 0,
  left: [...meanwhile].sort((a, b) => a.before - b.before),
  inside: false,
  act,
});

/** Called before each instruction at EL2: what another CPU does at this point is done now. */
export function interleave(system: System, cpu: number): void {
  const { interleaving } = system;
  if (interleaving === undefined || interleaving.cpu !== cpu || interleaving.inside) return;
  if (system.machine.cores[cpu]!.pstate.EL !== 2) return;
  for (;;) {
    const next = interleaving.left[0];
    if (next === undefined || next.before > interleaving.executed || over(system)) break;
    interleaving.left.shift();
    interleaving.inside = true;
    interleaving.act(next.action);
    interleaving.inside = false;
  }
  interleaving.executed += 1;
}

/**
 * NON-SPEC: what another CPU may take while one is stopped. It may wait for a lock that the stopped
 * CPU holds; then this order of things is none, and the run is stopped without a verdict.
 */
const INSIDE_BUDGET = 5_000;

/** Instructions that one entry of module code may take now. */
export const budgetOf = ({ options, interleaving }: System): number =>
  interleaving?.inside === true ? Math.min(options.budget, INSIDE_BUDGET) : options.budget;
