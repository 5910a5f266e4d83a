// Who made an answer: a MOV hands on what another instruction made, any other ORR makes its own.

import { expect, test } from "vitest";
import { createCore, noGates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes } from "../../../cpu/memory.ts";
import {
  type AnswerWriters,
  beginsAnswer,
  endsAnswer,
  watchAnswer,
} from "../../../model/machine/answer-writer.ts";

const BASE = 0x4000_0000n;
const NOP = 0xd503_201f;
/** Makes -22 in a register. Source: DDI0487 C6.2 MOVN, imm16 at bit 5. */
const MOVN_X19_21 = 0x9280_02b3;
const MOVN_W19_21 = 0x1280_02b3;

// Source: DDI0487 C6.2 ORR (shifted register): sf 31, shift 23:22, N 21, Rm 20:16, imm6 15:10,
// Rn 9:5, Rd 4:0. MOV (register) is the one with Rn 31 and LSL #0.
const MOV_X0_X19 = 0xaa13_03e0;
const MOV_W0_W19 = 0x2a13_03e0;
const MOV_X30_X19 = 0xaa13_03fe;
const MOV_X0_X30 = 0xaa1e_03e0;
const MOV_X0_XZR = 0xaa1f_03e0;
const ORR_X0_X1_X19 = 0xaa13_0020;
const ORR_X0_X30_X19 = 0xaa13_03c0;
const ORR_X0_XZR_X19_LSL_1 = 0xaa13_07e0;
const ORR_X0_XZR_X19_LSR_0 = 0xaa53_03e0;
const ORR_X0_XZR_X19_ROR_0 = 0xaad3_03e0;
const MVN_X0_X19 = 0xaa33_03e0;

/** Runs a function at EL2: its answer, and the index of the instruction that made it. */
function made(...words: readonly number[]): readonly [answer: bigint, from: number | undefined] {
  const memory = createMemory([{ base: BASE, sizeBytes: 0x1000n }]);
  writeBytes(memory, BASE, new Uint8Array(Uint32Array.from(words).buffer));
  const core = createCore(max, memory, 0n);
  core.pc = BASE;
  core.x.fill(0n);
  const writers: AnswerWriters = new Map();
  beginsAnswer(writers, 1, 2);
  const budget = words.length;
  run(core, {
    ...{ budget, gates: noGates },
    trace: (at, word) => {
      watchAnswer(writers, 1, at.pc, word, at);
    },
  });
  expect(core.pc).toBe(BASE + BigInt(4 * budget));
  const { from } = endsAnswer(writers, 1, 2, core.x[0]);
  expect(writers.size).toBe(0);
  return [BigInt.asIntN(64, core.x[0]!), from === undefined ? from : Number(from - BASE) / 4];
}

test("a MOV of a register hands on who made what is in it", () => {
  expect(made(NOP, MOVN_X19_21, NOP, MOV_X0_X19)).toEqual([-22n, 1]);
  expect(made(NOP, MOVN_X19_21, NOP, MOV_X0_X19, NOP)).toEqual([-22n, 1]);
  expect(made(NOP, MOVN_X19_21, MOV_X30_X19, NOP, MOV_X0_X30)).toEqual([-22n, 1]);
  expect(made(NOP, MOVN_W19_21, NOP, MOV_W0_W19)).toEqual([0xffff_ffean, 1]);
});

test("a MOV of the zero register makes the zero", () => {
  expect(made(MOVN_X19_21, MOV_X0_X19, NOP, MOV_X0_XZR, NOP)).toEqual([0n, 3]);
});

test("an ORR with another register, with a shift, or of the inverse is no copy", () => {
  for (const [word, answer] of [
    [ORR_X0_X1_X19, -22n],
    [ORR_X0_X30_X19, -22n],
    [ORR_X0_XZR_X19_LSL_1, -44n],
    [ORR_X0_XZR_X19_LSR_0, -22n],
    [ORR_X0_XZR_X19_ROR_0, -22n],
    [MVN_X0_X19, 21n],
  ] as const) {
    expect(made(MOVN_X19_21, NOP, word, NOP)).toEqual([answer, 2]);
  }
});
