// The generator: the same seed gives the same vectors, every entry is hit, accesses go where aimed.

import { describe, expect, it } from "vitest";
import { max } from "../../cpu/cpu-model.ts";
import { dataAccess, indexOffset } from "../../model/machine/data-access.ts";
import { createMachine } from "../../tools/recorder/configurations.ts";
import { backgroundOf } from "../../tools/recorder/draft.ts";
import { readExplanations } from "../../tools/recorder/explained.ts";
import { lineOf, parseLine, recordedFrom } from "../../tools/recorder/json-lines.ts";
import { patternsOf, planVectors } from "../../tools/recorder/live.ts";
import { ORACLES } from "../../tools/recorder/oracles.ts";
import { levelShift, startLevelOf } from "../../tools/recorder/translation-tables.ts";
import { isConstrainedUnpredictable } from "../../tools/recorder/unpredictable.ts";
import type { Outcome } from "../../tools/recorder/vector.ts";

const oracle = ORACLES.n2;
const plan = (seed: number) => planVectors(oracle, createMachine(seed, max), seed, 2);

/** Nothing happened but the step to the next instruction. */
const uneventful = ({ vector }: ReturnType<typeof plan>[number]): Outcome => ({
  ...{ x: vector.x, sp: vector.sp, pc: BigInt.asUintN(64, vector.pc + 4n), exception: undefined },
  ...{ pstate: vector.pstate, settings: new Map(), memory: [], tags: [] },
});

describe("generation", () => {
  it("the same seed gives the same vectors, another seed others", () => {
    expect(plan(3)).toEqual(plan(3));
    expect(plan(3)).not.toEqual(plan(4));
  });

  it("every entry is made, except WFI", () => {
    const made = new Set(plan(5).map(({ vector }) => vector.entry));
    const missing = patternsOf(oracle).filter(({ name }) => !made.has(name));
    expect(missing.map(({ name }) => name)).toEqual(["WFI"]);
  });

  it("a line says everything about a vector", () => {
    const background = backgroundOf(6);
    for (const planned of plan(6)) {
      const recorded = { vector: planned.vector, outcome: uneventful(planned) };
      const line = parseLine(JSON.stringify(lineOf(recorded, background)), 2);
      expect(recordedFrom(line, background, () => 0n)).toEqual(recorded);
    }
  });
});

describe("what is read off a word", () => {
  it.each([
    [0xf940_07e1, 31, 8n, 8], // LDR X1, [SP, #8]
    [0xf85f_8c41, 2, -8n, 8], // LDR X1, [X2, #-8]!
    [0xf840_8441, 2, 0n, 8], // LDR X1, [X2], #8
    [0xa97f_0841, 2, -16n, 16], // LDP X1, X2, [X2, #-16]
    [0x2940_8841, 2, 4n, 8], // LDP W1, W2, [X2, #4]
    [0x3900_0441, 2, 1n, 1], // STRB W1, [X2, #1]
    [0xc85f_7c41, 2, 0n, 8], // LDXR X1, [X2]
    [0xf820_0041, 2, 0n, 8], // LDADD X0, X1, [X2]
    [0x1800_0041, undefined, 8n, 4], // LDR W1, literal 8 bytes on
  ])("%s: base, offset and size", (word, base, offset, sizeBytes) => {
    expect(dataAccess(word)).toMatchObject({ base, offset, sizeBytes });
  });

  it("LDR X1, [X2, W3, SXTW #3]: the index is sign extended and scaled", () => {
    const { index } = dataAccess(0xf863_d841)!;
    expect(index).toEqual({ register: 3, option: 6, shift: 3 });
    expect(indexOffset(index!, 0xffff_ffffn)).toBe(-8n);
  });

  it("data processing and branches access nothing", () => {
    expect(dataAccess(0x9100_0400)).toBeUndefined();
    expect(dataAccess(0x1400_0000)).toBeUndefined();
  });

  it.each([
    [0xa940_0441, true], // LDP X1, X1, [X2]
    [0xa900_0441, false], // STP X1, X1, [X2]
    [0xf840_8c42, true], // LDR X2, [X2, #8]!
    [0xc801_7c41, true], // STXR W1, X1, [X2]
    [0xc802_7c41, true], // STXR W2, X1, [X2]
    [0xc803_7c41, false], // STXR W3, X1, [X2]
  ])("%s is CONSTRAINED UNPREDICTABLE: %s", (word, expected) => {
    expect(isConstrainedUnpredictable(word)).toBe(expected);
  });
});

describe("translation tables", () => {
  // Source: DDI0487 D8.2, tables of the three granules.
  it.each([
    [12, 48, 0],
    [12, 39, 1],
    [12, 30, 2],
    [14, 47, 1],
    [14, 36, 2],
    [16, 48, 1],
    [16, 42, 2],
  ])("granule 2^%i, %i bits: the walk starts at level %i", (granule, bits, level) => {
    expect(startLevelOf(granule, bits)).toBe(level);
  });

  it("blocks of level 2 are 2 MiB, 32 MiB and 512 MiB", () => {
    expect([12, 14, 16].map((granule) => levelShift(granule, 2))).toEqual([21, 25, 29]);
  });
});

it("every explanation has a reason and the text that decides", () => {
  for (const { reason, source } of readExplanations()) {
    expect(reason).not.toBe("");
    expect(source).not.toBe("");
  }
});
