// `bench core` compares every checksum: an engine that computes something else has no speed.

import { describe, expect, it } from "vitest";
import type { Engine } from "../../tools/bench/core/engines.ts";
import { readRecorded } from "../../tools/bench/core/kernels.ts";
import { geometricMean, measureAll } from "../../tools/bench/core/measure.ts";

const { runs } = readRecorded();

/**
 * An engine that knows the recorded answers and takes a second for each iteration but the first.
 */
function knowing(changes: Readonly<Record<number, string>> = {}): Engine {
  const run = (kernel: number, iterations: number) => {
    const known = runs.find((r) => r.kernel === kernel && r.iterations === iterations);
    const checksum = changes[kernel] ?? known?.checksum ?? "";
    return { checksum, cpuSeconds: 5 + (iterations - 1) };
  };
  return { name: "knowing", version: "", run };
}

describe("bench core", () => {
  it("the start is taken off: instructions of the further iterations by their time", () => {
    const rows = measureAll([knowing()], runs, 3, () => {});
    const loop = rows[7];
    expect(loop?.instructions).toBe(140026);
    expect(loop?.speeds).toEqual([{ mips: 0.140026 }]);
  });

  it("a wrong checksum is no speed, for that kernel alone", () => {
    const rows = measureAll([knowing({ 3: "0000000000000000" })], runs, 1, () => {});
    const wrong = rows.filter(({ speeds: [speed] }) => speed !== undefined && "wrong" in speed);
    expect(wrong.map(({ kernel }) => kernel)).toEqual(["sort"]);
  });

  it("the mean of ratios is geometric", () => {
    expect(geometricMean([1, 4, 16])).toBeCloseTo(4, 12);
  });
});
