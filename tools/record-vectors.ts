// `npm run record-vectors`: records vectors of every entry in QEMU, to keep or to compare.

import { parseArgs } from "node:util";
import { planEveryRegister } from "./recorder/every-register.ts";
import { installTools } from "./recorder/install.ts";
import {
  type Comparison,
  compareAll,
  patternsOf,
  planVectors,
  recordLive,
} from "./recorder/live.ts";
import { ORACLES, type Oracle, type OracleName } from "./recorder/oracles.ts";
import { qemuArguments, qemuVersion } from "./recorder/qemu.ts";
import { mismatchText, writeRecording } from "./recorder/replay-file.ts";
import { seedOf } from "./seed.ts";

const SHOWN = 20;

const usage = `usage: npm run record-vectors -- (--out FILE | --live) [--seed S|fresh] [--count N]
  [--per-entry N | --registers] [--processor ${Object.keys(ORACLES).join("|")}]
--registers: instead every encoding of MRS, MSR and SYS where registers are, once at each level.
Installs QEMU 10 by apt where it is missing (needs root then).`;

function numberOf(text: string, what: string): number {
  if (!/^[1-9]\d{0,8}$|^0$/.test(text)) throw new Error(`${what}: not a number: ${text}`);
  return Number(text);
}

function oracleOf(name: string): Oracle {
  if (!Object.hasOwn(ORACLES, name)) throw new Error(`no processor ${name}\n${usage}`);
  return ORACLES[name as OracleName];
}

/** Vectors of each entry, so that all together are as many as asked for, or a few more. */
function perEntry(oracle: Oracle, count: number): number {
  // What MRS, MSR, SYS and ERET get beside their share, less WFI.
  const heavy = 58;
  return Math.max(1, Math.ceil(count / (patternsOf(oracle).length + heavy)));
}

/** `recorded N, entries E, at least M of every entry`. */
function summary({ recording }: Comparison): string {
  const counts = new Map<string, number>();
  for (const { vector } of recording.recorded)
    counts.set(vector.entry, (counts.get(vector.entry) ?? 0) + 1);
  const least = Math.min(...counts.values());
  const total = recording.recorded.length;
  return `recorded ${total}, entries ${counts.size}, at least ${least} of every entry`;
}

function compareLive(comparison: Comparison): number {
  const found = compareAll(comparison.recording.recorded, comparison.machine);
  const mismatches = found.filter(({ explanation }) => explanation === undefined);
  const explained = found.length - mismatches.length;
  console.log(`${summary(comparison)}, explained ${explained}, mismatches ${mismatches.length}`);
  for (const mismatch of mismatches.slice(0, SHOWN)) console.log(mismatchText(mismatch));
  return mismatches.length === 0 ? 0 : 1;
}

function main(): number {
  const { values } = parseArgs({
    options: {
      out: { type: "string" },
      live: { type: "boolean", default: false },
      registers: { type: "boolean", default: false },
      seed: { type: "string", default: "1" },
      count: { type: "string", default: "20000" },
      "per-entry": { type: "string" },
      processor: { type: "string", default: "n2" },
    },
  });
  if (values.out === undefined && !values.live) throw new Error(usage);
  const seed = seedOf(values.seed);
  const oracle = oracleOf(values.processor);
  const count = values["per-entry"];
  const each =
    count === undefined
      ? perEntry(oracle, numberOf(values.count, "--count"))
      : numberOf(count, "--per-entry");
  installTools();
  console.log(`${qemuVersion()}, ${oracle.cpuModel.name}, seed ${seed}`);
  const comparison = recordLive(oracle, seed, (machine) =>
    values.registers
      ? planEveryRegister(oracle, machine, seed)
      : planVectors(oracle, machine, seed, each),
  );
  if (values.out !== undefined) {
    const machine = qemuArguments(oracle).join(" ");
    writeRecording(values.out, comparison, { qemu: qemuVersion(), machine, seed });
  }
  if (values.live) return compareLive(comparison);
  console.log(`${summary(comparison)}: ${values.out}`);
  return 0;
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`record-vectors: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
