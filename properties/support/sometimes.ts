// A situation is reachable: without it, what is promised of the situation would be empty.

import { expect, test } from "vitest";
import { GUARDS } from "../../model/transitions.ts";
import type { ClauseId } from "../../spec/clause.ts";
import type { Explored } from "./explore.ts";

/**
 * States as a test that each guard that cites a clause refused something, and let something pass.
 */
export function sometimes(clause: ClauseId, runs: () => Explored): void {
  const guards = GUARDS.filter((guard) => guard.clause === clause);
  test.each(guards)(
    `${clause} sometimes: $transition refuses by it, and sometimes not`,
    (guard) => {
      const { coverage } = runs();
      const refusals = coverage.refusals.get(guard.key) ?? 0;
      expect(refusals, "it never refused").toBeGreaterThan(0);
      expect(coverage.transitions.get(guard.transition) ?? 0).toBeGreaterThan(refusals);
    },
  );
}
