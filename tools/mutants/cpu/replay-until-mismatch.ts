// Replays sets of vectors in a process of its own, up to the first that is not as recorded, and
// says so in one line: `loaded no …`, `mismatch …`, or `agreed`. Without sets it only loads the
// core; `--entries-of FILE` keeps the recorded vectors of what one file of cpu/isa/ defines.

import { join } from "node:path";
import { parseArgs } from "node:util";

/** Vectors replayed at a time. */
const CHUNK = 50;
const folder = join(import.meta.dirname, "../../../properties/vectors");

/** The whole core, so that a fault that keeps any file from loading is noticed. */
const modules = [
  "../../../cpu/core.ts",
  "../../../cpu/bits/pseudocode.ts",
  "../../../cpu/sysregs/system-instructions.ts",
];

async function load() {
  for (const path of modules) await import(path);
  const { readLines, replayFile } = await import("../../vectors/replay-file.ts");
  const { mismatchText } = await import("../../vectors/report.ts");
  const recorder = await import("../../recorder/replay-file.ts");
  const { classes } = await import("../../../cpu/isa/entries.ts");
  return { readLines, replayFile, mismatchText, recorder, classes };
}

type Loaded = Awaited<ReturnType<typeof load>>;

/** Lines of a recording replayed at a time; each time a machine is made. */
const RECORDING_CHUNK = 1000;

/** Whether a recorded vector is of an instruction of a file of cpu/isa/. */
function ofFile({ classes }: Loaded, file: string): (line: string) => boolean {
  const members = classes.filter((each) => `cpu/isa/${each.file}` === file);
  const starts = members.flatMap(({ entries }) =>
    entries.map(({ name }) => `{"entry":${JSON.stringify(name)},`),
  );
  return (line) => starts.some((start) => line.startsWith(start));
}

/** The first mismatch of a set that our own recorder has made. */
function recordingVerdict(loaded: Loaded, set: string, file?: string): string | undefined {
  const { recorder } = loaded;
  const [header = "", ...all] = recorder.readRecordingLines(join(folder, `${set}.jsonl.gz`));
  const lines = file === undefined ? all : all.filter(ofFile(loaded, file));
  for (let at = 0; at < lines.length; at += RECORDING_CHUNK) {
    const chunk = [header, ...lines.slice(at, at + RECORDING_CHUNK)];
    const [mismatch] = recorder.replayLines(chunk).mismatches;
    if (mismatch !== undefined) return `${set}: ${recorder.mismatchText(mismatch).split("\n")[0]}`;
  }
  return undefined;
}

/** The first mismatch of a set, or how many disputes each side wins. */
function verdict(loaded: Loaded, set: string, file?: string): string | undefined {
  if (set.startsWith("recorded/")) return recordingVerdict(loaded, set, file);
  const { readLines, replayFile, mismatchText } = loaded;
  const path = join(folder, `${set}.jsonl.gz`);
  const lines = readLines(path);
  const disputes: Record<string, number> = {};
  for (let at = 0; at < lines.length; at += CHUNK) {
    const replayed = replayFile(path, lines.slice(at, at + CHUNK));
    const [mismatch] = replayed.mismatches;
    if (mismatch !== undefined) return mismatchText(mismatch).split("\n")[0];
    for (const [name, sides] of replayed.disputes)
      for (const [side, count] of Object.entries(sides))
        disputes[`${name} ${side}`] = (disputes[`${name} ${side}`] ?? 0) + count;
  }
  const text = Object.entries(disputes)
    .filter(([, count]) => count > 0)
    .map(([side, count]) => `${side} ${count}`)
    .join(", ");
  return text === "" || text === decided ? undefined : `disagreements: ${text}`;
}

/** How the disagreements are answered; agreed.test.ts says the same. */
const decided = [
  "should-be-one sail 148",
  "mte qemu 208",
  "wnr sail 20",
  "constrained-unpredictable sail 62",
  "store-exclusive-alignment sail 17",
  "outside-window qemu 2",
  "outside-window both 5",
].join(", ");

async function main(args: readonly string[]): Promise<string> {
  const { values, positionals: sets } = parseArgs({
    args: [...args],
    options: { "entries-of": { type: "string" } },
    allowPositionals: true,
  });
  let loaded: Loaded;
  try {
    loaded = await load();
  } catch (error) {
    return `loaded no ${String(error)}`;
  }
  for (const set of sets) {
    try {
      const found = verdict(loaded, set, values["entries-of"]);
      if (found !== undefined) return `mismatch ${found}`;
    } catch (error) {
      return `mismatch ${set}: ${String(error)}`;
    }
  }
  return "agreed";
}

console.log((await main(process.argv.slice(2))).replaceAll("\n", " "));
