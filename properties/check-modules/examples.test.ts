// `check` on the examples: the wrong are found at their line by the shortest way, the right pass.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { replay } from "../../counterexamples/replay.ts";
import { subjectOf } from "../../tools/cli/subject.ts";
import { type Disassembler, openDisassembler } from "../../tools/disassembler.ts";
import { type CheckResult, checkModule } from "../../tools/search/check-module.ts";
import { CHECKED_EXAMPLES, EXAMPLES, LATER_EXAMPLES } from "../arbitraries/examples.ts";
import { EXPECTED, EXPECTED_NOTES, NOTED_CLASS, RIGHT } from "./expected.ts";
import { expectShortReports } from "./report-shape.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

const fileOf = (name: string): string => {
  const all = [...EXAMPLES, ...LATER_EXAMPLES, ...CHECKED_EXAMPLES].filter(
    (example) => example.name === name,
  );
  const found = all.find(({ made }) => made !== "wrong") ?? all[0];
  if (found === undefined) throw new Error(`no example ${name}`);
  return join(ROOT, found.file);
};

/** The line of a half that holds a text, which it holds once. */
function lineOf(name: string, text: string, half: "el1" | "hyp/el2" = "hyp/el2"): number {
  const source = readFileSync(join(fileOf(name), `../${half}.c`), "utf8").split("\n");
  const lines = source.flatMap((line, n) => (line.includes(text) ? [n + 1] : []));
  expect(lines, `${text} in ${name}`).toHaveLength(1);
  return lines[0] ?? 0;
}

let disassembler: Promise<Disassembler> | undefined;
const known = new Map<string, Promise<CheckResult>>();

/** Few random boots, and enough calls for what is small. */
const LIMITS = { runs: 2, seed: 1, calls: 6_000, depth: 3, build: "production" } as const;

/** Checks an example, once. */
function checked(name: string, cmdline?: string): Promise<CheckResult> {
  const before = known.get(name);
  if (before !== undefined) return before;
  const flags = { budget: "20000", ...(cmdline === undefined ? {} : { cmdline }) };
  const subject = subjectOf(fileOf(name), { build: LIMITS.build, ...flags });
  const hooks = { at: () => undefined, stopped: () => false };
  disassembler ??= openDisassembler();
  const result = disassembler.then((open) => checkModule(subject, LIMITS, hooks, open));
  known.set(name, result);
  return result;
}

describe("what is wrong is found, at its line, by the shortest way", () => {
  test.each(EXPECTED)("$module: $rule at $line", { timeout: 300_000 }, async (expected) => {
    const { module, rule, line, actions, meanwhile = 0, cmdline } = expected;
    const { found } = await checked(module, cmdline);
    const at = lineOf(module, line, expected.half);
    const file = `${expected.half ?? "hyp/el2"}.c`;
    const one = found.find((it) => it.clause === rule && it.at?.line === at && it.at.file === file);
    const others = found.map((it) => `${it.clause} at ${it.at?.file}:${it.at?.line}`);
    expect(one, `found ${others.join(", ")}; wanted ${rule} at line ${at}`).toBeDefined();
    expect(one?.scenario.actions).toHaveLength(actions);
    const last = one?.scenario.actions.at(-1);
    expect(last?.kind === "hvc" ? (last.meanwhile ?? []).length : 0).toBe(meanwhile);
    expectShortReports(found);
  });

  test("what was found replays from its file", { timeout: 300_000 }, async () => {
    const some = ["double_fetch", "returns_stack_bytes", "missing_unpin", "donation_kept"];
    for (const module of [...some, "padding_in_shared_memory", "null_op", "x0_left_alone"]) {
      const { found } = await checked(module);
      const subject = subjectOf(fileOf(module), {});
      for (const one of found) {
        const { violation, divergence } = replay(one, subject.files);
        expect(violation?.rule).toBe(one.clause);
        expect(divergence).toBeUndefined();
      }
    }
  });
});

describe("what is right passes", () => {
  test.each(RIGHT)("%s", { timeout: 300_000 }, async (module) => {
    const { found, down, calls } = await checked(module);
    expect(found.map((it) => `${it.clause}: ${it.sentence}`)).toEqual([]);
    expect(down).toBeUndefined();
    expect(calls.calls).toBeGreaterThan(0);
  });
});

describe("an address of EL2 that comes back to the host is noted", () => {
  const noted = [...new Map(EXPECTED_NOTES.map((it) => [it.module, it])).values()];
  test.each(noted)("$module", { timeout: 300_000 }, async ({ module, cmdline }) => {
    const { notes } = await checked(module, cmdline);
    const wanted = EXPECTED_NOTES.filter((it) => it.module === module).map((it) => ({
      function: it.function,
      register: it.register,
      line: lineOf(module, it.line),
      what: NOTED_CLASS,
    }));
    const told = notes.map(({ at, register, what }) => ({
      function: at.function,
      register,
      line: at.line,
      what,
    }));
    expect(told).toEqual(wanted);
  });

  test.each(RIGHT.filter((name) => name !== "ovmt"))(
    "not in %s",
    { timeout: 300_000 },
    async (it) => {
      expect((await checked(it)).notes).toEqual([]);
    },
  );

  // Sums, constants, errnos and stack bytes are no addresses, and a fault returns nothing.
  test.each(["returns_stack_bytes", "answers_in_x0", "length_overflow", "ignored_errno"])(
    "not in %s",
    { timeout: 300_000 },
    async (it) => {
      const { notes } = await checked(it);
      expect(notes).toEqual([]);
    },
  );
});

test("every example of this kind is expected to be right or wrong", () => {
  const named = new Set([...EXPECTED.map(({ module }) => module), ...RIGHT]);
  expect(CHECKED_EXAMPLES.filter(({ name }) => !named.has(name))).toEqual([]);
});
