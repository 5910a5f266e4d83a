// `check` on damaged files: one line, or a verdict with its reports, whatever was changed.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { contentsOf, readElf, sectionNamed } from "../../model/elf/read.ts";
import { UsageError } from "../../tools/cli/exit.ts";
import { type Subject, subjectOf } from "../../tools/cli/subject.ts";
import { type Disassembler, openDisassembler } from "../../tools/disassembler.ts";
import { checkModule } from "../../tools/search/check-module.ts";
import { type Base, baseOf, mutated, mutation } from "../model/elf/mutate.ts";
import { expectShortReports } from "./report-shape.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const RUNS = 20;

/** Right and wrong ones, with PLTs and without, text only and with data. */
const FILES = [
  "page/pkvm_module.ko",
  "host-pointer-deref/host_pointer_deref.ko",
  "vendor-plts/vendor_plts.ko",
  "el1-init-fails-after-load/el1_init_fails_after_load.ko",
];

/** A file as it is, and where its places in the source are told. */
function basesOf(name: string): readonly Base[] {
  const read = readElf(readFileSync(join(ROOT, "examples", name)));
  if (!read.ok) throw new Error(read.error);
  const whole = baseOf(name, read.elf);
  const lines = sectionNamed(read.elf, ".debug_line");
  if (lines === undefined) return [whole];
  const range = [lines.offset, contentsOf(read.elf, lines).length] as const;
  return [whole, whole, { ...whole, hot: [range] }];
}

const BASES = FILES.flatMap(basesOf);
/** Little of everything: what is to be seen is that it ends. */
const LIMITS = { runs: 0, seed: 1, calls: 24, depth: 2, build: "production" } as const;
const HOOKS = { at: () => undefined, stopped: () => false };

let folder = "";
let disassembler: Disassembler;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "pkvm-spec-"));
  disassembler = await openDisassembler();
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** What the command line makes of a file: a subject, or the line that it ends with. */
function subjectOrLine(path: string): Subject | string {
  try {
    return subjectOf(path, { branch: "android14-6.1", budget: "2000" });
  } catch (thrown) {
    if (thrown instanceof UsageError) return thrown.message;
    throw thrown;
  }
}

test("a damaged file is refused in a line, or checked to its end", {
  timeout: 600_000,
}, async () => {
  const damages = fc.array(mutation, { minLength: 1, maxLength: 3 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...BASES), damages, async (base, mutations) => {
      const path = join(folder, "damaged.ko");
      writeFileSync(path, mutated(base, mutations));
      const subject = subjectOrLine(path);
      if (typeof subject === "string") {
        expect(subject.split("\n")).toHaveLength(1);
        return;
      }
      const result = await checkModule(subject, LIMITS, HOOKS, disassembler);
      expectShortReports(result.found);
      expect(result.explored.interrupted).toBe(false);
    }),
    { seed: 6, numRuns: RUNS },
  );
});
