// A file of recorded vectors: writes it, reads it, and runs it on our core.

import { readFileSync, writeFileSync } from "node:fs";
import { gunzipSync, gzipSync } from "node:zlib";
import { max } from "../../cpu/cpu-model.ts";
import { describe } from "./compare.ts";
import { backgroundOf } from "./draft.ts";
import {
  backgroundFrom,
  cpuModelFrom,
  doublewordsOf,
  headerOf,
  lineOf,
  parseHeader,
  parseLine,
  recordedFrom,
  runsOf,
  settingsOfHeader,
} from "./json-lines.ts";
import { type Comparison, compareAll, type Mismatch } from "./live.ts";
import { observedBy } from "./observed-registers.ts";
import { createReplayMemory, type ReplayMachine, settingsBefore } from "./replay.ts";
import type { RecordedVector } from "./vector.ts";

/** Writes a recording, gzipped where the name says so. */
export function writeRecording(
  path: string,
  comparison: Comparison,
  about: { readonly qemu: string; readonly machine: string; readonly seed: number },
): void {
  const { recording, machine, tables } = comparison;
  const background = backgroundOf(about.seed);
  const header = headerOf(machine, { ...about, tables: runsOf(tables) }, background);
  const lines = recording.recorded.map((recorded) => lineOf(recorded, background));
  const text = `${[header, ...lines].map((line) => JSON.stringify(line)).join("\n")}\n`;
  writeFileSync(path, path.endsWith(".gz") ? gzipSync(text, { level: 9 }) : text);
}

/** The lines of a file, gzipped or not. */
export function readRecordingLines(path: string): readonly string[] {
  const bytes = readFileSync(path);
  const text = bytes[0] === 0x1f && bytes[1] === 0x8b ? gunzipSync(bytes) : bytes;
  return text.toString("utf8").trimEnd().split("\n");
}

/** Whether a file with this first line was written by the recorder. */
export function isRecording(firstLine: string): boolean {
  return /^\s*\{\s*"recorder"/.test(firstLine);
}

export interface ReplayedRecording {
  readonly vectors: number;
  /** How many lines each entry has. */
  readonly entries: ReadonlyMap<string, number>;
  readonly explained: number;
  readonly mismatches: readonly Mismatch[];
}

/** Runs every line of a recording. */
export function replayLines(
  lines: readonly string[],
  each: (done: number) => void = () => {},
): ReplayedRecording {
  const header = parseHeader(lines[0] ?? "");
  const settings = settingsOfHeader(header);
  const machine: ReplayMachine = {
    cpuModel: cpuModelFrom(header, max),
    memory: createReplayMemory(doublewordsOf(header.tables)),
    registers: observedBy([...settings.base.keys()]),
    ...settings,
  };
  const background = backgroundFrom(header);
  const entries = new Map<string, number>();
  function* recorded(): Generator<RecordedVector> {
    for (let n = 1; n < lines.length; n++) {
      const line = parseLine(lines[n]!, n + 1);
      const key = line.entry;
      entries.set(key, (entries.get(key) ?? 0) + 1);
      yield recordedFrom(line, background, (vector, target) =>
        settingsBefore(settings, vector)(`VBAR_EL${target}`),
      );
      each(n);
    }
  }
  const found = compareAll(recorded(), machine);
  const mismatches = found.filter(({ explanation }) => explanation === undefined);
  const explained = found.length - mismatches.length;
  return { vectors: lines.length - 1, entries, explained, mismatches };
}

/** One mismatch as a person needs it. */
export function mismatchText({ recorded, differences }: Mismatch): string {
  const { vector, outcome } = recorded;
  const word = vector.words[0]!.toString(16).padStart(8, "0");
  const where = `${vector.el} ${vector.configuration} pc ${vector.pc.toString(16)}`;
  const settings = [...vector.settings].map(([name, value]) => `${name}=${value.toString(16)}`);
  return [
    `${word} ${vector.entry}, ${where}, PSTATE ${vector.pstate.toString(16)}: ${describe(outcome)}`,
    ...(settings.length === 0 ? [] : [`  with ${settings.join(" ")}`]),
    ...differences.map(({ what, recorded, ours }) => `  ${what}: QEMU ${recorded}, ours ${ours}`),
  ].join("\n");
}

/** What `npm run vectors` prints about a recording. */
export function replayRecording(
  path: string,
  lines: readonly string[],
  each: (done: number) => void,
): { readonly text: string; readonly mismatches: number } {
  const { vectors, explained, mismatches } = replayLines(lines, each);
  const counts = `${vectors} vectors, ${explained} explained, ${mismatches.length} mismatches`;
  return {
    text: [`${path}: ${counts}`, ...mismatches.map(mismatchText)].join("\n"),
    mismatches: mismatches.length,
  };
}
