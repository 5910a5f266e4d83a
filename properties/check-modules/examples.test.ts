// `check` on the examples: the wrong are found at their line by the shortest way, the right pass.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { replay } from "../../counterexamples/replay.ts";
import { subjectOf } from "../../tools/cli/subject.ts";
import { type Disassembler, openDisassembler } from "../../tools/disassembler.ts";
import { type CheckResult, checkModule } from "../../tools/search/check-module.ts";
import { CHECKED_EXAMPLES, EXAMPLES } from "../arbitraries/examples.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What is wrong with an example, as its source and the documentation of the kernel say it. */
interface Expected {
  readonly module: string;
  readonly rule: string;
  /** The statement that does it, as it stands in the source; undefined where it is no one place. */
  readonly line: string | undefined;
  /** The fewest actions of the host that lead there. */
  readonly actions: number;
  /** What other CPUs must do inside the last of them. */
  readonly meanwhile?: number;
  readonly cmdline?: string;
}

const OVM = "kvm-arm.mode=protected kvm-arm.protected_modules=ovm ovm.seq=load,regops";

const EXPECTED: readonly Expected[] = [
  // A page is shared; the fill of one page writes the next, which EL2 does not map.
  { module: "off_by_one_page_count", rule: "MOD-1", line: "PAGE_SIZE) = i;", actions: 2 },
  // Share, then the refused page twice: each time a pin more.
  { module: "missing_unpin", rule: "MOD-12", line: "ops->pin_shared_mem(", actions: 3 },
  { module: "length_overflow", rule: "MOD-1", line: "sum += *from++", actions: 1 },
  { module: "host_held_pointer", rule: "MOD-1", line: "handle->users = 0", actions: 1 },
  { module: "host_held_pointer", rule: "MOD-5", line: "handle->users = 0", actions: 1 },
  // Share an empty page, peek.
  { module: "forgotten_fixmap_unmap", rule: "MOD-7", line: "ops->fixmap_map(", actions: 2 },
  { module: "handler_table_overrun", rule: "MOD-1", line: "functions[number](", actions: 1 },
  // Share, attach, send; in between the length grows.
  { module: "double_fetch", rule: "MOD-1", line: "ops->memcpy(copy", actions: 3, meanwhile: 1 },
  // Share, attach, count; in between a detach.
  { module: "race_between_cpus", rule: "MOD-5", line: "ring->count++", actions: 3, meanwhile: 1 },
  { module: "patches_itself", rule: "MOD-11", line: "create_private_mapping(TEXT", actions: 0 },
  { module: "returns_stack_bytes", rule: "MOD-13", line: "= reply.reserved", actions: 1 },
  { module: "ignored_errno", rule: "MOD-15", line: "ops->host_stage2_mod_prot(", actions: 1 },
  { module: "answers_in_x0", rule: "MOD-4", line: "cpu_reg(ctx, 0) =", actions: 1 },
  { module: "host_pointer_deref", rule: "MOD-1", line: "= *mailbox", actions: 1 },
  { module: "host_pointer_deref", rule: "MOD-5", line: "= *mailbox", actions: 1 },
  { module: "handler_never_returns", rule: "MOD-2", line: "while (smp_load_acquire", actions: 1 },
  { module: "el2_init_registers_then_fails", rule: "MOD-8", line: undefined, actions: 0 },
  { module: "el1_init_fails_after_load", rule: "MOD-9", line: undefined, actions: 0 },
  { module: "registers_until_full", rule: "MOD-9", line: undefined, actions: 0 },
  { module: "ovm", rule: "MOD-5", line: "case 23:", actions: 1, cmdline: OVM },
  { module: "ovm", rule: "MOD-5", line: "case 24:", actions: 1, cmdline: OVM },
];

/** Modules with which nothing is wrong. */
const RIGHT = ["pkvm_module", "ovmt", "shared_buffer", "smc_filter", "serial_driver"];

const fileOf = (name: string): string => {
  const all = [...EXAMPLES, ...CHECKED_EXAMPLES].filter((example) => example.name === name);
  const found = all.find(({ made }) => made !== "wrong") ?? all[0];
  if (found === undefined) throw new Error(`no example ${name}`);
  return join(ROOT, found.file);
};

/** The line of the EL2 half that holds a text, which it holds once. */
function lineOf(name: string, text: string): number {
  const source = readFileSync(join(fileOf(name), "../hyp/el2.c"), "utf8").split("\n");
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
    const at = line === undefined ? undefined : lineOf(module, line);
    const one = found.find(
      (it) => it.clause === rule && (line === undefined || it.at?.line === at),
    );
    const others = found.map((it) => `${it.clause} at ${it.at?.file}:${it.at?.line}`);
    expect(one, `found ${others.join(", ")}; wanted ${rule} at line ${at}`).toBeDefined();
    expect(one?.scenario.actions).toHaveLength(actions);
    const last = one?.scenario.actions.at(-1);
    expect(last?.kind === "hvc" ? (last.meanwhile ?? []).length : 0).toBe(meanwhile);
  });

  test("what was found replays from its file", { timeout: 300_000 }, async () => {
    for (const module of ["double_fetch", "returns_stack_bytes", "missing_unpin"]) {
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

test("every example of this kind is expected to be right or wrong", () => {
  const named = new Set([...EXPECTED.map(({ module }) => module), ...RIGHT]);
  expect(CHECKED_EXAMPLES.filter(({ name }) => !named.has(name))).toEqual([]);
});
