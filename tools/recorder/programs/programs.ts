#!/usr/bin/env node
// Random programs on QEMU and on our core: runs them, compares, and shows the first that differs.

import { writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { openDisassembler } from "../../disassembler.ts";
import { seedOf } from "../../seed.ts";
import { qemuVersion } from "../qemu.ts";
import {
  type Assembled,
  buildProgramHarness,
  type ProgramHarness,
  removeProgramHarness,
  runInQemu,
} from "./batch.ts";
import { generateProgram } from "./generate.ts";
import { createProgramMemory } from "./machine.ts";
import { minimise } from "./minimise.ts";
import { listingOf, mismatchOf } from "./mismatch.ts";
import { assemble } from "./program.ts";
import { keptOf, packRecorded, type RecordedPrograms } from "./recorded-programs.ts";

const BATCH = 500;

interface Tally {
  programs: number;
  words: number;
  instructions: number;
  readonly different: Assembled[];
  readonly recorded: RecordedPrograms["programs"][number][];
}

function compareBatch(
  harness: ProgramHarness,
  seed: number,
  from: number,
  to: number,
  tally: Tally,
) {
  const memory = createProgramMemory(harness.handlers);
  const programs: Assembled[] = [];
  for (let n = from; n < to; n++) {
    const program = generateProgram(seed, n);
    programs.push({ program, words: assemble(program.items) });
  }
  runInQemu(harness, programs).forEach((recorded, i) => {
    const assembled = programs[i]!;
    const { differences, instructions } = mismatchOf(memory, assembled, recorded);
    tally.programs++;
    tally.words += assembled.words.length;
    tally.instructions += instructions;
    if (differences.length > 0) tally.different.push(assembled);
    tally.recorded.push({ assembled, after: keptOf(recorded) });
  });
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      ...{ seed: { type: "string" }, count: { type: "string" }, shown: { type: "string" } },
      record: { type: "string" },
    },
  });
  const [seed, count] = [seedOf(values.seed ?? "1"), Number(values.count ?? 2000)];
  const shown = Number(values.shown ?? 1);
  if (![count, shown].every((n) => Number.isSafeInteger(n) && n >= 0)) {
    console.error("usage: programs.ts [--seed N|fresh] [--count N] [--shown N] [--record FILE]");
    return 2;
  }
  const disassemble = await openDisassembler();
  const harness = buildProgramHarness();
  try {
    console.log(`${qemuVersion()}, seed ${seed}`);
    const tally: Tally = { programs: 0, words: 0, instructions: 0, different: [], recorded: [] };
    for (let from = 0; from < count; from += BATCH)
      compareBatch(harness, seed, from, Math.min(count, from + BATCH), tally);
    for (const assembled of tally.different.slice(0, shown)) {
      console.log(listingOf(harness, minimise(harness, assembled.program), disassemble));
    }
    if (values.record !== undefined) {
      const { handlers } = harness;
      const recorded = { qemu: qemuVersion(), seed, handlers, programs: tally.recorded };
      writeFileSync(values.record, packRecorded(recorded));
    }
    const { programs, words, instructions, different } = tally;
    console.log(`${words} words, ${Math.round(words / programs)} a program`);
    console.log(
      `programs ${programs}, instructions ${instructions}, mismatches ${different.length}`,
    );
    return different.length === 0 ? 0 : 1;
  } finally {
    removeProgramHarness(harness);
  }
}

try {
  process.exitCode = await main();
} catch (error) {
  console.error(`record-programs: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
