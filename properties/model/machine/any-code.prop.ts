// Any words as code at EL1 or EL2 end in one of the ways that a run can end.

import fc from "fast-check";
import { expect, test } from "vitest";
import { forkMachine } from "../../../model/machine/machine.ts";
import { callEl1, callEl2 } from "../../../model/machine/run.ts";
import { exportedSymbol } from "../../../model/machine/symbols.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import {
  CODE,
  finalised,
  loadAtEl1,
  loadAtEl2,
  newMachine,
  notes,
  STARTED,
} from "./bench-machine.ts";

const START = newMachine();
const { env } = notes({
  op: () => ({ kind: "value", x0: 0n }),
  hvc: () => ({ kind: "registers", x: [] }),
  smc: () => ({ kind: "registers", x: [] }),
  hostAbort: () => ({ kind: "inject" }),
  hostTrap: () => ({ kind: "resume", advance: true }),
});

const words = fc.array(fc.integer({ min: 0, max: 0xffff_ffff }), { minLength: 1, maxLength: 12 });
const ENDS = ["returned", "exception", "budget", "panic", "unmodelled", "ended"];

test("random words at EL2", () => {
  fc.assert(
    fc.property(words, (code) => {
      const machine = forkMachine(START);
      loadAtEl2(machine, STARTED, code);
      expect(ENDS).toContain(callEl2(machine, 0, CODE, [machine.opsTable], env, 200).kind);
    }),
    { seed: 20261123, numRuns: 1000 },
  );
});

test("random words at EL1, behind stage 2", () => {
  fc.assert(
    fc.property(words, (code) => {
      const machine = forkMachine(START);
      syncDescriptors(machine, STARTED, finalised(STARTED));
      const at = loadAtEl1(machine, code);
      expect(ENDS).toContain(callEl1(machine, 0, at, [at], env, 200).kind);
    }),
    { seed: 20261123, numRuns: 1000 },
  );
});

test("every exported function with random arguments", () => {
  const names = [...START.gates.functions.keys()];
  const value = fc.oneof(
    fc.bigInt({ min: 0n, max: (1n << 64n) - 1n }),
    fc.bigInt({ min: 0n, max: 64n }),
    // Addresses of the linear map, of kernel text and of a stack.
    fc.bigInt({ min: 0n, max: 0xfffn }).map((low) => 0xffff_ff80_1000_0000n + low),
    fc.constantFrom(0xffff_ffc0_0800_0000n, 0xffff_ffc0_0a00_8100n, 0xffff_ffff_ffff_ffffn),
  );
  const call = fc.record({
    name: fc.constantFrom(...names),
    args: fc.array(value, { minLength: 8, maxLength: 8 }),
  });
  fc.assert(
    fc.property(fc.array(call, { minLength: 1, maxLength: 4 }), (calls) => {
      const machine = forkMachine(START);
      for (const { name, args } of calls) {
        const ran = callEl1(machine, 0, exportedSymbol(machine, name)!, args, env, 200);
        expect(ENDS).toContain(ran.kind);
        if (ran.kind !== "returned") return;
      }
    }),
    { seed: 20261123, numRuns: 1500 },
  );
});
