// An explanation covers what it is about, and nothing else: the same difference in another state is
// a mismatch.

import { describe, expect, it } from "vitest";
import { max } from "../../cpu/cpu-model.ts";
import { createMachine } from "../../tools/recorder/configurations.ts";
import { explanationOf, readExplanations } from "../../tools/recorder/explained.ts";
import { planVectors } from "../../tools/recorder/live.ts";
import { ORACLES } from "../../tools/recorder/oracles.ts";
import type { Outcome, Vector } from "../../tools/recorder/vector.ts";

const explanations = readExplanations();
const planned = planVectors(ORACLES.n2, createMachine(1, max), 1, 1);
const { vector: some } = planned.find(({ vector }) => vector.entry === "LDR (literal)")!;

const completed: Outcome = {
  ...{ x: some.x, sp: some.sp, pc: some.pc + 4n, exception: undefined },
  ...{ pstate: some.pstate, settings: new Map(), memory: [], tags: [] },
};

/** QEMU completed, and we took an exception of this class to this level. */
function reasonFor(ec: number, target: 1 | 2, state: Partial<Vector>): string | undefined {
  const vector = { ...some, settings: new Map(), ...state };
  const exception = { target, offset: 0x400, esr: (ec << 26) >>> 0, elr: vector.pc, spsr: 0 };
  const replayed = { outcome: { ...completed, exception } };
  const differences = [{ what: "exception", recorded: "completed", ours: "an exception" }];
  const recorded = { vector, outcome: completed };
  return explanationOf(explanations, "neoverse-n2", recorded, replayed, differences)?.reason;
}

describe("explanations", () => {
  it("SP alignment: only where SP is misaligned", () => {
    const at = (sp: bigint) => reasonFor(0x26, 1, { el: "EL1h", sp: [1n, sp, 1n] });
    expect(at(0x1008n)).toBe("QEMU has no stack pointer alignment checks");
    expect(at(0x1010n)).toBeUndefined();
  });

  it("a trap that QEMU lacks: only where its bit is set, and in its direction", () => {
    const [MRS, MSR] = [0xd53b_9e00, 0xd51b_9e00]; // PMUSERENR_EL0
    const trapped = (word: number, register: string, bit: bigint) =>
      reasonFor(0x18, 2, { words: [word], settings: new Map([[register, 1n << bit]]) });
    expect(trapped(MRS, "HDFGRTR_EL2", 57n)).toMatch(/HDFGRTR_EL2$/);
    expect(trapped(MSR, "HDFGWTR_EL2", 57n)).toMatch(/HDFGWTR_EL2$/);
    expect(trapped(MRS, "HDFGWTR_EL2", 57n)).toBeUndefined();
    expect(trapped(MRS, "HDFGRTR_EL2", 56n)).toBeUndefined();
  });

  it("an exception of another kind has none", () => {
    expect(reasonFor(0x25, 1, {})).toBeUndefined();
  });
});
