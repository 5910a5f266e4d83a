// Loads that fail, stage by stage: the status that modprobe leaves, and what the system loses.

import { describe, expect, test } from "vitest";
import { runChecked } from "../../counterexamples/run-checked.ts";
import type { Run } from "../../model/log.ts";
import type { ModelStep } from "../../model/step.ts";
import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import { ERRNO, type Errno } from "../../spec/types/errno.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { signed } from "../../spec/types/outcome.ts";
import { bootOf, FAILING_LOADS, GOOD_BOOTS, probed } from "../arbitraries/failing-loads.ts";
import { BUDGET, EXAMPLE_FILES } from "../support/explore.ts";

const BRANCH: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};
const DOCUMENTED: SystemConfig = { ...BRANCH, documented: true };

/**
 * The stand-in's exit code for an errno, as the kernel prints it. Source: measured, mod-twice: 4352
 * = 17 * 256.
 */
const exits = (errno: Errno): number => 256 * ERRNO[errno];

/** The status of each boot by name, and where it comes from. */
const STATUS: Readonly<Record<string, number>> = {
  "exec fails": -ERRNO.ENOMEM, // call_usermodehelper_exec's own answer
  nosuch: 256, // measured: mod-missing
  "second of two": 256,
  corrupted_elf: exits("ENOEXEC"), // elf_validity_check
  truncated: exits("ENOEXEC"),
  missing_hyp_reloc: exits("ENOEXEC"), // module_init_hyp
  unresolved_symbol: exits("ENOENT"), // simplify_symbols
  vendor_unknown_api: exits("ENOENT"),
  "named twice": exits("EEXIST"), // measured: mod-twice
  "reservation fails": exits("ENOMEM"), // __pkvm_load_el2_module
  "page 0 fails": exits("EPERM"),
  "page 1 fails": exits("EPERM"),
  "page 2 fails": exits("EPERM"),
  "page 3 fails": exits("EPERM"),
  "loaded twice by itself": exits("EPERM"), // measured: mod-doubleload, -1
  el2_init_fails: exits("ENODEV"), // its own source
  loadfail: 0, // its program goes on
  el2_init_registers_then_fails: exits("EIO"),
  el1_init_fails_after_load: exits("ENODEV"),
  registers_until_full: exits("ENOMEM"),
};

const runOf = (system: SystemConfig, directed: (typeof FAILING_LOADS)[number]) =>
  runChecked(probed(system, directed), EXAMPLE_FILES, { budget: BUDGET });

/** The first answer to an action of this kind. */
const answerTo = (steps: readonly ModelStep[], kind: string): bigint | undefined => {
  const outcome = steps.find(({ action }) => action.kind === kind)?.outcome;
  return outcome?.kind === "returned" ? signed(outcome.value) : undefined;
};

const console = ({ log }: Run): readonly string[] =>
  log.flatMap((event) => (event.kind === "console" ? [event.text] : []));

const ALIVE = FAILING_LOADS.filter(({ name }) => name in STATUS);

describe("a load that fails", () => {
  test("is tried at every stage", () => {
    const others = FAILING_LOADS.filter(({ name }) => !(name in STATUS)).map(({ name }) => name);
    expect(others).toEqual(["el2_init_fails_textonly"]);
    expect(new Set(FAILING_LOADS.map(({ stage }) => stage)).size).toBe(14);
  });

  test.each(ALIVE)("$stage: $name", (directed) => {
    const status = STATUS[directed.name] ?? 0;
    const { run, steps } = runOf(BRANCH, directed);
    expect(run.final.boot.loadFailure?.status ?? 0).toBe(status);
    // No vendor's image is left in either case: a load failed, or nobody isolated DMA.
    expect(run.final.firmware.content).toBe("zero");
    expect(console(run)).toContain("Clearing unused pKVM firmware memory");
    // Measured, mod-failinit and mod-missing: the VM is created all the same.
    expect(answerTo(steps, "KVM_CREATE_VM")).toBe(0n);
  });

  test.each(ALIVE)("$stage: $name, on the documented system", (directed) => {
    const { steps, violations } = runOf(DOCUMENTED, directed);
    const failed = STATUS[directed.name] !== 0;
    expect(answerTo(steps, "KVM_CREATE_VM")).toBe(failed ? BigInt(-ERRNO.EPERM) : 0n);
    expect(violations.filter(({ kind }) => kind === "documented")).toEqual([]);
  });

  test("whose EL2 half lacks a section panics EL2, unless that is mended", () => {
    const textonly = FAILING_LOADS.find(({ name }) => name === "el2_init_fails_textonly");
    if (textonly === undefined) throw new Error("it is not there");
    expect(runOf(BRANCH, textonly).run.final.end).toMatchObject({ reason: "UNMAP_NOT_OWNED" });
    const { run } = runOf(DOCUMENTED, textonly);
    expect(run.final.end).toBeUndefined();
    expect(run.final.boot.loadFailure?.status).toBe(exits("EINVAL"));
  });
});

// A map that fails gives back what was mapped before it, in the right place: only a failing init
// does not (DOC-13). Source: pkvm_map_module_sections, its error path.
test.each(FAILING_LOADS.filter(({ name }) => /^page \d fails$/.test(name)))(
  "$name: what was mapped before it is given back",
  (directed) => {
    const { run, steps, violations } = runOf(BRANCH, directed);
    const pages = (name: string): readonly unknown[] =>
      steps.flatMap(({ transition, action }) =>
        transition === name && action.kind === "hvc" ? [action.x.slice(1, 3)] : [],
      );
    const mapped = pages("__pkvm_map_module_page");
    expect(mapped).toHaveLength(Number(directed.name.split(" ")[1]));
    expect(pages("__pkvm_unmap_module_page")).toEqual(mapped);
    expect(run.final.end).toBeUndefined();
    expect(violations.filter(({ rule }) => rule === "DOC-13")).toEqual([]);
  },
);

describe("a boot in which nothing fails", () => {
  test.each(GOOD_BOOTS)("$name", (directed) => {
    const { run, steps } = runOf(BRANCH, directed);
    expect(run.final.boot.loadFailure).toBeUndefined();
    const isolated = directed.name === "DMA isolated";
    expect(run.final.firmware.content).toBe(isolated ? "image" : "zero");
    if (isolated) {
      expect(answerTo(steps, "KVM_SET_FW_IPA")).toBe(0n); // measured: fw-modok-iommufin
      expect(run.final.vms.size).toBe(1);
    }
  });
});

// Measured, machines: a module finalised its CPU early; the host's own call is refused there.
test("a CPU that is finalised already: privileges are not dropped, and the firmware goes", () => {
  const finalize = ANDROID14_6_1.hcalls.indexOf("__pkvm_prot_finalize");
  const boot = bootOf("ovm", ["ovm"], { words: `ovm.seq=raw${finalize}` });
  const { run } = runOf(BRANCH, { name: "finalised early", stage: undefined, boot });
  expect(console(run)).toEqual(
    expect.arrayContaining([
      "WARNING in _kvm_host_prot_finalize",
      "Failed to de-privilege the host kernel: -22",
      "Clearing unused pKVM firmware memory",
    ]),
  );
  expect(run.final.firmware.content).toBe("zero");
  // The module's own call is in the log beside those of the kernel.
  const own = run.log.flatMap((event) =>
    event.kind === "hvc" && event.by === "module" ? [event] : [],
  );
  expect(own).toMatchObject([{ cpu: 0, after: { 0: 0n, 1: 0n } }]);
  expect(own[0]?.before[0]).toBe(hostSmcccId(finalize));
});
