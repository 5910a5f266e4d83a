// `npm run decode-check`: our decoder beside llvm-mc and objdump; 1 if a difference has no reason.
//
//   --random N   random words (1,000,000)        --seed S   where they start (1), or fresh
//   --record     write counts and the committed sample; after an update of a tool, or of the table

import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { seedOf } from "../seed.ts";
import { checkWord, type Findings, newFindings, type ToolVerdicts } from "./check.ts";
import {
  type Disagreements,
  disagreementsPath,
  type KnownClass,
  knownClasses,
  readDisagreements,
} from "./explained.ts";
import { findLlvmMc, type LlvmMc } from "./llvm-mc.ts";
import { findObjdump, type Objdump } from "./objdump.ts";
import { recordSample } from "./sample.ts";
import { ourVerdict, UNALLOCATED } from "./verdict.ts";
import { directedWords, randomWords } from "./words.ts";

/** Words given to one process of each tool. */
const BATCH = 100_000;

interface Tools {
  readonly llvm: LlvmMc;
  readonly objdump: Objdump;
}

function findTools(folder: string): Tools {
  const [llvm, objdump] = [findLlvmMc(folder), findObjdump(folder)];
  if (llvm === undefined) throw new Error("llvm-mc is not here: apt install llvm-19");
  if (objdump === undefined) throw new Error("apt install binutils-aarch64-linux-gnu");
  return { llvm, objdump };
}

function* batches(words: Iterable<number>): Generator<Uint32Array> {
  let batch: number[] = [];
  for (const word of words) {
    if (batch.push(word) < BATCH) continue;
    yield Uint32Array.from(batch);
    batch = [];
  }
  if (batch.length > 0) yield Uint32Array.from(batch);
}

/**
 * What the tools say of every word, in order. LLVM is asked for newer features only where it
 * matters: where it has no instruction without them, and we have none either.
 */
function* asked({ llvm, objdump }: Tools, words: Iterable<number>): Generator<ToolVerdicts> {
  const none = { mnemonic: undefined };
  for (const batch of batches(words)) {
    const [base, dumped] = [llvm.base(batch), objdump.all(batch)];
    const open = batch.filter(
      (word, i) => base[i]?.mnemonic === undefined && ourVerdict(word) === UNALLOCATED,
    );
    const all = llvm.all(open);
    const newer = new Map([...open].map((word, i) => [word, all[i] ?? none]));
    for (const [i, word] of batch.entries()) {
      const llvmAll = newer.get(word) ?? none;
      yield { word, llvmBase: base[i] ?? none, llvmAll, objdump: dumped[i] ?? none };
    }
  }
}

const hex = (word: number): string => word.toString(16).padStart(8, "0");

function report(findings: Findings, known: readonly KnownClass[]): string {
  const lines = known
    .filter((one) => findings.met.has(one))
    .map((one) => {
      const { tool, ours, theirs, reason } = one.row;
      const what = `${[ours].flat().join(", ")} - ${theirs}`;
      return [findings.met.get(one), tool, what, reason].join("\t");
    });
  const unexplained = [...findings.unexplained.values()].map(({ difference, count, words }) => {
    const { tool, ours, theirs } = difference;
    return `UNEXPLAINED ${count}\t${tool}\t${ours} - ${theirs}\t${words.map(hex).join(" ")}`;
  });
  return [...lines, ...unexplained].join("\n");
}

/** Classes that were recorded and that these same words no longer meet. */
function stale(findings: Findings, known: readonly KnownClass[]): readonly string[] {
  const gone = known.filter((one) => one.row.count > 0 && !findings.met.has(one));
  return gone.map(({ row }) => `NOT MET: ${row.tool}, ${[row.ours].flat()[0]} - ${row.theirs}`);
}

function writeCounts(
  file: Disagreements,
  known: readonly KnownClass[],
  findings: Findings,
  words: Disagreements["words"],
  versions: Disagreements["versions"],
): void {
  const disagreements = known.map((one) => ({ ...one.row, count: findings.met.get(one) ?? 0 }));
  const text = JSON.stringify({ ...file, versions, words, disagreements }, undefined, 2);
  writeFileSync(disagreementsPath, `${text}\n`);
}

function run(folder: string): number {
  const options = {
    random: { type: "string", default: "1000000" },
    seed: { type: "string", default: "1" },
    record: { type: "boolean", default: false },
  } as const;
  const { values } = parseArgs({ options });
  const [random, seed] = [Number(values.random), seedOf(values.seed)];
  if (!Number.isSafeInteger(random) || random < 0) throw new Error("--random is not a count");
  if (seed < 1) throw new Error("--seed is at least 1");
  const tools = findTools(folder);
  const versions = { "llvm-mc": tools.llvm.version, objdump: tools.objdump.version };
  const file = readDisagreements();
  if (!values.record && JSON.stringify(versions) !== JSON.stringify(file.versions))
    throw new Error(
      `recorded with ${JSON.stringify(file.versions)}, here is ${JSON.stringify(versions)}`,
    );
  const known = knownClasses(file);
  const findings = newFindings();
  for (const verdicts of asked(tools, directedWords())) checkWord(findings, known, verdicts);
  const directed = findings.words;
  for (const verdicts of asked(tools, randomWords(seed, random)))
    checkWord(findings, known, verdicts);
  console.log(`llvm-mc ${versions["llvm-mc"]}, objdump ${versions.objdump}`);
  console.log(`${directed} directed words, ${random} random ones from seed ${seed}`);
  console.log(report(findings, known));
  if (values.record) {
    writeCounts(file, known, findings, { seed, random, directed }, versions);
    recordSample(versions, (words) => [...asked(tools, words)]);
  }
  const same = seed === file.words.seed && random === file.words.random;
  const gone = same && !values.record ? stale(findings, known) : [];
  for (const line of gone) console.log(line);
  return findings.unexplained.size > 0 || gone.length > 0 ? 1 : 0;
}

const folder = mkdtempSync(join(tmpdir(), "decode-check-"));
try {
  process.exitCode = run(folder);
} catch (error) {
  console.error(`decode-check: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
} finally {
  rmSync(folder, { recursive: true });
}
