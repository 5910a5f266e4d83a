// The table of instructions: each entry, its source, its file, the vectors that hit it, its oracle.

import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { gunzipSync } from "node:zlib";
import type { Instruction } from "../cpu/bits/instruction.ts";
import { decode, makeIndex } from "../cpu/isa/decode.ts";
import { classes, entries } from "../cpu/isa/entries.ts";

export const ISA_TABLE = "cpu/ISA.md";
const root = fileURLToPath(new URL("..", import.meta.url));
const vectorFolder = `${root}properties/vectors/`;

/** One decode entry, and what shows that it is right. */
export interface IsaRow {
  readonly entry: string;
  /** Class of the encoding index. */
  readonly class: string;
  /** Arm's page. */
  readonly arm: string;
  readonly feature: string;
  readonly file: string;
  /** Its examples, worked out by hand. */
  readonly examples: string;
  /** Vectors of properties/vectors that decode to it, by who answered them. */
  readonly vectors: Readonly<Record<Oracle, number>>;
  readonly missing: string;
}

/** Who gave the expected results of a file of vectors. */
const oracles = ["QEMU and Sail", "QEMU"] as const;
type Oracle = (typeof oracles)[number];

/**
 * What QEMU cannot answer when it runs one instruction under software step, and who answers it.
 * An entry that is not here is answered by its vectors.
 */
const answeredElsewhere: Readonly<Record<string, string>> = {
  SMC: "one that leaves for EL3: examples, after C6.2 SMC",
  HLT: "QEMU has no Debug state either: UNDEFINED after C6.2 HLT",
  "DCPS1, DCPS2, DCPS3": "QEMU has no Debug state either: UNDEFINED after C6.2 DCPS1",
  DRPS: "QEMU has no Debug state either: UNDEFINED after C6.2 DRPS",
  WFE: "QEMU never waits and never traps it: examples, after C6.2 WFE and D1.6",
  WFI: "a step goes over it in QEMU: examples, after C6.2 WFI and D1.6",
  SEV: "the event that it sends: examples with several processors, after D1.6",
  SEVL: "the event that it sets: examples, after D1.6",
  "FP/SIMD": "with the traps off: nobody, the run stops",
};

/** The monitor is clear when a step begins: a store that succeeds needs more instructions. */
const storesExclusive = /^STX[RP]/;
const inPrograms = "those that succeed: QEMU, in the programs of properties/recorder";

/** The words of a file of vectors, and their oracle. */
function readWords(file: string): { oracle: Oracle; words: readonly number[] } {
  const bytes = readFileSync(vectorFolder + file);
  const text = (file.endsWith(".gz") ? gunzipSync(bytes) : bytes).toString("utf8");
  const words = [...text.matchAll(/"op":"([0-9a-f]{8})"/g)].map(([, hex = ""]) =>
    Number.parseInt(hex, 16),
  );
  return { oracle: text.slice(0, 2000).includes('"recorder"') ? "QEMU" : "QEMU and Sail", words };
}

function countVectors(): Map<string, Record<Oracle, number>> {
  const index = makeIndex(entries);
  const counts = new Map<string, Record<Oracle, number>>();
  const files = readdirSync(vectorFolder, { recursive: true, encoding: "utf8" }).filter((name) =>
    /\.jsonl(\.gz)?$/.test(name),
  );
  for (const file of files.sort()) {
    const { oracle, words } = readWords(file);
    for (const word of words) {
      const name = decode(index, word)?.name ?? "";
      const count = counts.get(name) ?? { "QEMU and Sail": 0, QEMU: 0 };
      count[oracle]++;
      counts.set(name, count);
    }
  }
  return counts;
}

const examplesOf = (file: string): string =>
  `properties/cpu/isa/${file.replace(/\.ts$/, ".test.ts")}`;

/** One row for each decode entry, in the order of the encoding index. */
export function isaTable(): readonly IsaRow[] {
  const counts = countVectors();
  const none = { "QEMU and Sail": 0, QEMU: 0 };
  return classes.flatMap(({ name, file, entries: members }) =>
    members.map(
      (entry: Instruction): IsaRow => ({
        entry: entry.name,
        class: name,
        arm: entry.source.replace("DDI0487 ", ""),
        feature: entry.feature === undefined ? "" : `FEAT_${entry.feature}`,
        file: `cpu/isa/${file}`,
        examples: existsSync(root + examplesOf(file)) ? examplesOf(file) : "",
        vectors: counts.get(entry.name) ?? none,
        missing: entry.missing ?? "",
      }),
    ),
  );
}

/** The oracle of an entry: those who answered its vectors, and its examples. */
function oracleText({ entry, vectors, examples }: IsaRow): string {
  const answered = oracles
    .filter((oracle) => vectors[oracle] > 0)
    .map((oracle) => `${oracle}: ${vectors[oracle]}`);
  const elsewhere = storesExclusive.test(entry) ? inPrograms : answeredElsewhere[entry];
  return [
    ...answered,
    ...(examples === "" ? [] : ["examples"]),
    ...(elsewhere === undefined ? [] : [elsewhere]),
  ].join("; ");
}

/** Recorded vectors that decode to an entry. */
export const hits = ({ vectors }: IsaRow): number => vectors.QEMU + vectors["QEMU and Sail"];

/** The table as it is committed. */
export function isaTableText(rows: readonly IsaRow[] = isaTable()): string {
  const lines = rows.map(
    (row) =>
      `| ${row.entry} | ${row.arm} | ${row.feature} | ${row.file.replace("cpu/isa/", "")} ` +
      `| ${hits(row)} | ${oracleText(row)} | ${row.missing} |`,
  );
  const hit = rows.filter((row) => hits(row) > 0);
  const total = rows.reduce((sum, row) => sum + hits(row), 0);
  return [
    "# Instructions",
    "",
    "Every decode entry in the order of Arm's encoding index; written by `npm run trace -- isa`.",
    "Vectors: how many in `properties/vectors` decode to the entry. Oracle: who answered them;",
    "then *examples*, worked out by hand from Arm's text, in the test file of the same name under",
    "`properties/cpu/isa`; then who answers what QEMU cannot.",
    "",
    `${rows.length} entries, ${hit.length} of them hit by vectors, of which there are ${total}.`,
    "",
    "| entry | Arm | feature | file | vectors | oracle | missing |",
    "| --- | --- | --- | --- | --- | --- | --- |",
    ...lines,
    "",
  ].join("\n");
}

/** Writes the table; says whether it was stale. */
export function writeIsaTable(): boolean {
  const path = root + ISA_TABLE;
  const text = isaTableText();
  const stale = !existsSync(path) || readFileSync(path, "utf8") !== text;
  if (stale) writeFileSync(path, text);
  return stale;
}

if (import.meta.main) console.log(`${ISA_TABLE}: ${writeIsaTable() ? "written" : "unchanged"}`);
