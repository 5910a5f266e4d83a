// Where a program's two outcomes differ, and the text that shows it.

import type { Memory } from "../../../cpu/memory.ts";
import type { Disassembler } from "../../disassembler.ts";
import { type Assembled, type ProgramHarness, runInQemu } from "./batch.ts";
import { createProgramMemory, PLACES } from "./machine.ts";
import { memoryDifferences, type Outcome, registerDifferences } from "./program.ts";
import { replayProgram } from "./replay-program.ts";
import { NOP } from "./words.ts";

/** The differences, a line each; and how many instructions our core executed. */
export interface Compared {
  readonly differences: readonly string[];
  readonly instructions: number;
}

/** Runs a program on our core and compares with what QEMU made of it. */
export function mismatchOf(memory: Memory, assembled: Assembled, recorded: Outcome): Compared {
  const replayed = replayProgram(memory, assembled);
  if ("stop" in replayed) {
    const { stop } = replayed;
    const what = stop.kind === "unmodelled" ? `${stop.what} at ${stop.pc.toString(16)}` : "";
    return { differences: [`our core stopped: ${stop.kind} ${what}`], instructions: 0 };
  }
  const { outcome } = replayed;
  const differences = [
    ...registerDifferences(recorded, outcome),
    ...memoryDifferences(recorded.memory, outcome.memory),
  ];
  return { differences, instructions: replayed.instructions };
}

const hex = (value: bigint | number): string => value.toString(16);

/** Entry state, listing without its NOPs, differences. */
export function listingOf(
  harness: ProgramHarness,
  assembled: Assembled,
  disassemble: Disassembler,
): string {
  const { program, words } = assembled;
  const [recorded] = runInQemu(harness, [assembled]);
  const memory = createProgramMemory(harness.handlers);
  const { differences } = mismatchOf(memory, assembled, recorded!);
  const x = [...program.x].map((value, n) => `X${n}=${hex(value)}`).join(" ");
  const lines = words.flatMap((word, i) => {
    if (word === NOP) return [];
    const text = disassemble(word) ?? "?";
    return `  ${hex(PLACES.CODE + 4 * i)}  ${hex(word).padStart(8, "0")}  ${text}`;
  });
  const sp = program.sp.map(hex).join(" ");
  const state = `${program.el}, PSTATE ${hex(program.pstate)}, SP ${sp}`;
  return [state, x, ...lines, ...differences.slice(0, 24).map((line) => `  ${line}`), ""].join(
    "\n",
  );
}
