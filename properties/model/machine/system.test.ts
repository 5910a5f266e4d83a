// The steps of a running system: how deep they are, and what a notifier of panics may do.

import { expect, test } from "vitest";
import { boot } from "../../../model/kernel/boot.ts";
import { createSystem } from "../../../model/machine/run-scenario.ts";
import { nested, perform, type System } from "../../../model/machine/system.ts";
import type { El2Exception } from "../../../spec/types/action.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";

function booted(): System {
  const config = {
    branch: "android14-6.1",
    build: "production",
    documented: false,
    cpuCount: 2,
  } as const;
  const system = createSystem({ system: config, boot: bootOf("", []), actions: [] }, new Map(), {});
  boot(system);
  return system;
}

const UNDEFINED: El2Exception = {
  ...{ kind: "el2_exception", cpu: 1, esr: 0x200_0000n, elr: 0n, far: 0n, entered: "inside" },
};

test("what is done inside is one deeper, and what comes after it is not", () => {
  const system = booted();
  const before = system.depth;
  expect(nested(system, () => [system.depth, nested(system, () => system.depth)])).toEqual([
    before + 1,
    before + 2,
  ]);
  expect(system.depth).toBe(before);
});

// hyp_panic calls the notifiers before it tells anybody: one that never returns is the end.
test("a notifier that does not come back ends the system before the panic does", () => {
  const system = booted();
  const where = "EL2, a notifier of panics";
  system.beforePanic = (cpu) => {
    perform(system, { kind: "budget_spent", cpu, where });
  };
  perform(system, UNDEFINED);
  expect(system.hyp.end).toEqual({ kind: "hang", where });
  const other = booted();
  perform(other, UNDEFINED);
  expect(other.hyp.end).toMatchObject({ kind: "hyp-panic", reason: "EL2_UNDEFINED" });
});
