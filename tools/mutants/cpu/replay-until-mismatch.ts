// Replays sets of vectors in a process of its own, up to the first that is not as recorded, and
// says
// so in one line: `loaded no …`, `mismatch …`, or `agreed`. Without sets it only loads the core.

import { join } from "node:path";

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
  const replay = await import("../../vectors/replay-file.ts");
  const report = await import("../../vectors/report.ts");
  return { ...replay, ...report };
}

type Loaded = Awaited<ReturnType<typeof load>>;

/** The first mismatch of a set, or how many disputes each side wins. */
function verdict(loaded: Loaded, set: string): string | undefined {
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

async function main(sets: readonly string[]): Promise<string> {
  let loaded: Loaded;
  try {
    loaded = await load();
  } catch (error) {
    return `loaded no ${String(error)}`;
  }
  for (const set of sets) {
    try {
      const found = verdict(loaded, set);
      if (found !== undefined) return `mismatch ${found}`;
    } catch (error) {
      return `mismatch ${set}: ${String(error)}`;
    }
  }
  return "agreed";
}

console.log((await main(process.argv.slice(2))).replaceAll("\n", " "));
