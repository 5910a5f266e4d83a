// `check` on every other example: the verdict and the exit code that its source and README say.

import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import { type Counterexample, parseCounterexample } from "../../counterexamples/counterexample.ts";
import { registerCheck } from "../../tools/cli/check.ts";
import { quiet, runMain } from "../../tools/cli/exit.ts";
import { EXAMPLES, LATER_EXAMPLES } from "../arbitraries/examples.ts";
import { EXPECTED, RIGHT } from "./expected.ts";
import { expectShortReports } from "./report-shape.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));

/** What the command is to say of one file. */
interface Verdict {
  /** From `examples/`. */
  readonly file: string;
  readonly flags?: readonly string[];
  readonly exit: 0 | 1 | 2;
  /** A rule that is broken, and what its place is: a statement of the source, or a function. */
  readonly rule?: string;
  readonly line?: string;
  readonly half?: "el1";
  readonly function?: string;
  /** The fewest actions of the host that lead there. */
  readonly actions?: number;
  /** What the verdict, or the one line of an unreadable file, says. */
  readonly says?: RegExp;
}

const SERIAL = join(ROOT, "examples/serial-driver/serial_driver.ko");

const VERDICTS: readonly Verdict[] = [
  // Slot 4 is puts here: it reads the string at 'F' once there is a UART to print it. Alone,
  // nothing is printed and the filter is a handler of traps that nobody calls.
  {
    file: "other-branch-ops/other_branch_ops.ko",
    flags: ["--with", SERIAL],
    exit: 1,
    rule: "MOD-1",
    line: "ops->putc('F')",
    actions: 0,
  },
  { file: "other-branch-ops/other_branch_ops.ko", exit: 0 },
  // The first hypercall is another's where another was loaded before.
  {
    file: "fixed-hypercall-number/fixed_hypercall_number.ko",
    flags: ["--with", join(ROOT, "examples/shared-buffer/shared_buffer.ko")],
    exit: 1,
    rule: "MOD-18",
    half: "el1",
    line: "pkvm_el2_mod_call(SUM_HYPERCALL",
    actions: 0,
  },
  { file: "fixed-hypercall-number/fixed_hypercall_number.ko", exit: 0 },
  // With a second module of the kind the slot is taken, and its init fails half way.
  {
    file: "half-registered/half_registered.ko",
    flags: ["--with", join(ROOT, "examples/smc-filter/smc_filter.ko")],
    exit: 1,
    rule: "MOD-8",
    line: "return ops->register_host_smc_handler(",
    actions: 0,
  },
  // Alone too, with an op that fails.
  {
    file: "half-registered/half_registered.ko",
    exit: 1,
    rule: "MOD-8",
    line: "return ops->register_host_smc_handler(",
    actions: 0,
  },
  // The handler's offset is registered in place of its address, and EL1 init calls it.
  { file: "page-as-printed/pkvm_module.ko", exit: 1, rule: "INV-18", actions: 0 },
  { file: "page-as-printed/pkvm_module.ko", exit: 1, rule: "MOD-1", actions: 0 },
  // E13 of the page: no hypercall is left, and the error is returned.
  {
    file: "page-as-printed/pkvm_module.ko",
    exit: 1,
    rule: "MOD-9",
    half: "el1",
    line: "ret = pkvm_register_el2_mod_call(",
    actions: 0,
  },
  {
    file: "page-as-printed/pkvm_module.ko",
    flags: ["--build", "el2debug"],
    exit: 1,
    says: /^FAIL: hyp-panic: BAD_HCALL_ADDRESS/,
  },
  { file: "corrupted-elf/corrupted_elf.ko", exit: 2, says: /\.hyp\.text.* outside the file/ },
  { file: "corrupted-elf/truncated.ko", exit: 2, says: /section headers .* truncated/ },
  {
    file: "missing-hyp-reloc/missing_hyp_reloc.ko",
    exit: 1,
    says: /^FAIL: missing_hyp_reloc does not load: .*\.hyp\.reloc/,
  },
  {
    file: "unresolved-symbol/unresolved_symbol.ko",
    exit: 1,
    says: /^FAIL: unresolved_symbol does not load: Unknown symbol "__kvm_nvhe_memset"/,
  },
  // -ENODEV.
  {
    file: "el2-init-fails/el2_init_fails.ko",
    exit: 1,
    says: /^FAIL: el2_init_fails does not load: its init returned -19$/,
  },
  // The kernel's way back from -EINVAL unmaps what is not there.
  {
    file: "el2-init-fails-textonly/el2_init_fails_textonly.ko",
    exit: 1,
    rule: "DOC-13",
    actions: 0,
  },
  { file: "plain-module/plain_module.ko", exit: 0 },
  { file: "depends-on-another/depends_on_another.ko", exit: 0 },
  { file: "depends-on-another/depends_on_another.ko", flags: ["--with", SERIAL], exit: 0 },
  // x2 selects a function of another type: the check before the call is a BRK.
  {
    file: "vendor-kcfi/vendor_kcfi.ko",
    exit: 1,
    rule: "MOD-1",
    function: "typed_hvc",
    actions: 1,
  },
  { file: "vendor-shadow-call-stack/vendor_shadow_call_stack.ko", exit: 0 },
  { file: "vendor-pac-bti/vendor_pac_bti.ko", exit: 0 },
  { file: "vendor-altinstructions/vendor_altinstructions.ko", exit: 0 },
  { file: "vendor-plts/vendor_plts.ko", exit: 0 },
  { file: "vendor-modversions/vendor_modversions.ko", exit: 0 },
  { file: "vendor-struct-module/vendor_struct_module.ko", exit: 0 },
  { file: "vendor-data-relocs/vendor_data_relocs.ko", exit: 0 },
  {
    file: "vendor-unknown-api/vendor_unknown_api.ko",
    exit: 1,
    says: /^FAIL: vendor_unknown_api does not load: Unknown symbol "of_machine_is_compatible"/,
  },
  // The loader resolves the import, and nobody calls it: the EL1 half does not run.
  {
    file: "vendor-unknown-api/vendor_unknown_api.ko",
    flags: ["--el2-only"],
    exit: 0,
  },
  { file: "kmi-android15-6.6/kmi_android15_6_6.ko", exit: 0 },
  { file: "kmi-android16-6.12/kmi_android16_6_12.ko", exit: 0 },
  { file: "kmi-android17-6.18/kmi_android17_6_18.ko", exit: 0 },
];

/** A counterexample as its file has it. */
interface Stored extends Pick<Counterexample, "clause" | "at"> {
  readonly actions: readonly unknown[];
}

interface Answer {
  readonly status: number;
  readonly stderr: string;
  /** What `--json` prints; nothing for a file that cannot be read. */
  readonly json?: {
    readonly exit: number;
    readonly verdict: readonly string[];
    readonly fresh: readonly Stored[];
    readonly notes: readonly unknown[];
  };
}

let folder = "";
const known = new Map<string, Promise<Answer>>();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pkvm-spec-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the command in this process: what it prints is caught. */
async function run(args: readonly string[]): Promise<Answer> {
  const out: string[] = [];
  const errors: string[] = [];
  const catching = (into: string[]) => (text: string | Uint8Array) => into.push(String(text)) > 0;
  const spies = [
    vi.spyOn(process.stdout, "write").mockImplementation(catching(out)),
    vi.spyOn(process.stderr, "write").mockImplementation(catching(errors)),
  ];
  const program = quiet(new Command());
  registerCheck(program);
  try {
    await runMain(program, ["node", "pkvm-spec", "check", ...args]);
  } finally {
    for (const spy of spies) spy.mockRestore();
  }
  const status = Number(process.exitCode ?? 0);
  process.exitCode = 0;
  const json = out.length === 0 ? {} : { json: JSON.parse(out.join("")) };
  return { status, stderr: errors.join(""), ...json };
}

/** Runs the command, once for rows that differ in what they expect only. */
function check({ file, flags = [] }: Verdict): Promise<Answer> {
  const key = [file, ...flags].join(" ");
  const before = known.get(key);
  if (before !== undefined) return before;
  const few = ["--runs", "0", "--calls", "600", "--budget", "20000", "--build", "production"];
  const path = join(ROOT, "examples", file);
  const answer = run([path, ...few, ...flags, "--json", "--out", join(folder, `${known.size}`)]);
  known.set(key, answer);
  return answer;
}

/** A counterexample as it is read back from its file. */
function stored(it: Stored): Counterexample {
  const parsed = parseCounterexample(JSON.stringify(it));
  if (!parsed.ok) throw new Error(parsed.error);
  return parsed.counterexample;
}

/** The line of a half that holds a text, which it holds once. */
function lineOf({ file, half }: Verdict, text: string): number {
  const folder = join(ROOT, "examples", file, "..", file.startsWith("page-as") ? "call" : "");
  const path = join(folder, `${half ?? "hyp/el2"}.c`);
  const source = readFileSync(path, "utf8").split("\n");
  const lines = source.flatMap((line, n) => (line.includes(text) ? [n + 1] : []));
  expect(lines, `${text} in ${file}`).toHaveLength(1);
  return lines[0] ?? 0;
}

describe("the verdict", { timeout: 120_000 }, () => {
  test.each(VERDICTS)("$file: exit $exit", async (expected) => {
    const { status, stderr, json } = await check(expected);
    const { rule, line, actions, says } = expected;
    const verdict = json?.verdict[0] ?? stderr.trim();
    expect(status, `${verdict} ${stderr}`).toBe(expected.exit);
    if (says !== undefined) expect(verdict).toMatch(says);
    if (json === undefined) {
      expect(expected.exit).toBe(2);
      return;
    }
    expect(json.exit).toBe(expected.exit);
    expect(json.notes).toEqual([]);
    expectShortReports(json.fresh.map(stored));
    const rules = json.fresh.map(({ clause }) => clause);
    if (rule === undefined) {
      expect(rules).toEqual([]);
      expect(verdict).toMatch(expected.exit === 0 ? /^HOLDS/ : /^FAIL/);
      return;
    }
    const one = json.fresh.find(({ clause }) => clause === rule);
    expect(one, `${rule} among ${rules.join(", ")}`).toBeDefined();
    expect(one?.actions).toHaveLength(actions ?? 0);
    if (line !== undefined) expect(one?.at?.line).toBe(lineOf(expected, line));
    if (expected.function !== undefined) expect(one?.at?.function).toBe(expected.function);
  });
});

test("every example has a verdict", () => {
  const here = new Set(VERDICTS.map(({ file }) => `examples/${file}`));
  const named = new Set([...EXPECTED.map(({ module }) => module), ...RIGHT]);
  const missing = [...EXAMPLES, ...LATER_EXAMPLES].filter(
    ({ name, file }) => !here.has(file) && !named.has(name),
  );
  expect(missing).toEqual([]);
});
