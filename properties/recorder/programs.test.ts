// Recorded programs end on our core as they ended in QEMU.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { generateProgram } from "../../tools/recorder/programs/generate.ts";
import { createProgramMemory } from "../../tools/recorder/programs/machine.ts";
import { assemble, registerDifferences } from "../../tools/recorder/programs/program.ts";
import { keptOf, readRecorded } from "../../tools/recorder/programs/recorded-programs.ts";
import { replayProgram } from "../../tools/recorder/programs/replay-program.ts";

const path = fileURLToPath(new URL("programs.jsonl.gz", import.meta.url));
const { qemu, handlers, programs } = readRecorded(readFileSync(path));
const memory = createProgramMemory(handlers);

/** Differences of a program, the words changed first. */
function differencesOf(n: number, change: (words: readonly number[]) => readonly number[]) {
  const { assembled, after } = programs[n]!;
  const words = change(assembled.words);
  const replayed = replayProgram(memory, { ...assembled, words });
  if ("stop" in replayed) return [`stopped: ${replayed.stop.kind}`];
  const found = keptOf(replayed.outcome);
  const lines = registerDifferences(after, found);
  return found.memory === after.memory ? lines : [...lines, "memory"];
}

describe("recorded programs", () => {
  it("come from QEMU 10 and are of every Exception level", () => {
    expect(qemu).toMatch(/^QEMU emulator version 10\./);
    expect(programs.length).toBe(100);
    const els = new Set(programs.map(({ assembled }) => assembled.program.el));
    expect([...els].sort()).toEqual(["EL0t", "EL1h", "EL1t", "EL2h", "EL2t"]);
    for (const { assembled } of programs) {
      expect(assembled.words.length).toBeGreaterThanOrEqual(50);
      expect(assembled.words.length).toBeLessThanOrEqual(200);
    }
  });

  it("take exceptions: X25 counts them", () => {
    const counts = programs.map(({ after }) => Number(after.x[25]!));
    expect(counts.filter((count) => count > 3).length).toBeGreaterThan(50);
    expect(Math.max(...counts)).toBeLessThan(1000);
  });

  it("all end alike", () => {
    const different = programs.flatMap((_, n) =>
      differencesOf(n, (words) => words).map((line) => `${n}: ${line}`),
    );
    expect(different).toEqual([]);
  });

  it("do not end alike where the first word is another", () => {
    // MOVZ X29, #0x1234 instead of it.
    const changed = programs.filter((_, n) => {
      const different = differencesOf(n, ([, ...rest]) => [0xd282_469d, ...rest]);
      return different.length > 0;
    });
    expect(changed.length).toBeGreaterThan(50);
  });
});

describe("generated programs", () => {
  it("are the same for the same seed, and others for another", () => {
    const words = (seed: number) => assemble(generateProgram(seed, 3).items);
    expect(words(7)).toEqual(words(7));
    expect(words(7)).not.toEqual(words(8));
  });
});
