// Pairs of steps of a boot that fail together: those that are both reached when one of them fails.

import type { Run } from "../../model/log.ts";
import type { Fault, Scenario } from "../../model/scenario.ts";
import type { Errno } from "../../spec/types/errno.ts";

/** NON-SPEC: how many pairs are tried. */
const PAIRS_MAX = 64;

/** The steps that can fail although nothing is wrong, and how they do. */
const FAILS_WITH: ReadonlyMap<Fault["call"], Errno> = new Map([
  ["call_usermodehelper_exec", "ENOMEM"],
  ["__pkvm_alloc_module_va", "ENOMEM"],
  ["__pkvm_map_module_page", "EPERM"],
  ["__pkvm_register_hcall", "ENOMEM"],
]);

/** What boots with one fault were seen to reach. */
export interface Reached {
  readonly note: (scenario: Scenario, run: Run) => void;
  /** Each fault with every other that its boot still reaches. */
  readonly pairs: () => readonly (readonly [Fault, Fault])[];
}

interface Seen {
  readonly fault: Fault;
  readonly calls: Run["calls"];
}

const isSame = (a: Fault, b: Fault): boolean => a.call === b.call && a.nth === b.nth;
const isReached = ({ call, nth }: Fault, { calls }: Seen): boolean => nth < (calls.get(call) ?? 0);

/** Every step that a boot reaches and that could fail. */
const stepsOf = ({ calls }: Seen): readonly Fault[] =>
  [...FAILS_WITH].flatMap(([call, errno]) =>
    Array.from({ length: calls.get(call) ?? 0 }, (_, nth): Fault => ({ call, nth, errno })),
  );

/**
 * Listens to boots in which one step fails. A second fault that is not reached any more, or that
 * keeps the first from being reached, would be a boot with one fault again.
 */
export function createReached(): Reached {
  const seen: Seen[] = [];
  const alone = (fault: Fault): Seen | undefined => seen.find((one) => isSame(one.fault, fault));
  /** What the second one alone reaches; a step that only a failure leads to was not tried alone. */
  const keeps = (first: Fault, second: Fault): boolean => {
    const other = alone(second);
    return other === undefined || isReached(first, other);
  };
  return {
    note: ({ boot: { faults } }, { calls }) => {
      const [fault, ...more] = faults;
      if (fault === undefined || more.length > 0) return;
      const one = { fault, calls };
      if (isReached(fault, one)) seen.push(one);
    },
    pairs: () => {
      const pairs: (readonly [Fault, Fault])[] = [];
      for (const one of seen) {
        for (const other of stepsOf(one)) {
          if (isSame(one.fault, other) || !keeps(one.fault, other)) continue;
          const isThere = pairs.some(([a, b]) => isSame(a, other) && isSame(b, one.fault));
          if (!isThere) pairs.push([one.fault, other]);
        }
      }
      return pairs.slice(0, PAIRS_MAX);
    },
  };
}
