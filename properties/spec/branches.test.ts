// The branch tables: complete, without a gap, and equal to what was counted and measured elsewhere.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BRANCH_NAMES, type BranchName, SLOT_BYTES } from "../../spec/branches/branch.ts";
import {
  BRANCHES,
  branchOf,
  firstDynamicId,
  hcallNumber,
  hostSmcccId,
  isBranchName,
  opsBytes,
  protFinalizeNumber,
  slotOf,
} from "../../spec/branches/branches.ts";
import { LOADING_HCALLS } from "../../spec/clauses/hypercall.ts";

/**
 * Counted by hand in the headers and enums of each branch, not derived from the tables under test.
 */
const COUNTED = {
  "android14-6.1": { slots: 64, bytes: 512, ops: 33, hcalls: 44, protFinalize: 17, slot4: "puts" },
  "android15-6.6": { slots: 86, bytes: 688, ops: 59, hcalls: 61, protFinalize: 20, slot4: "putc" },
  "android16-6.12": { slots: 93, bytes: 744, ops: 65, hcalls: 83, protFinalize: 21, slot4: "putc" },
  "android17-6.18": { slots: 94, bytes: 752, ops: 63, hcalls: 85, protFinalize: 21, slot4: "putc" },
  "mainline-6.1": { slots: 0, bytes: 0, ops: 0, hcalls: 23, protFinalize: 8, slot4: undefined },
  "mainline-6.12": { slots: 0, bytes: 0, ops: 0, hcalls: 26, protFinalize: 8, slot4: undefined },
  "mainline-7.3": { slots: 0, bytes: 0, ops: 0, hcalls: 51, protFinalize: 7, slot4: undefined },
} as const;

/** Byte offsets as the headers give them, spread over each table. */
const OFFSETS = {
  "android14-6.1": { host_donate_hyp: 0xa8, hyp_pa: 0xe8, host_stage2_mod_prot_range: 0x100 },
  "android15-6.6": {
    host_donate_hyp: 0xb8,
    list_add_valid_or_report: 0x160,
    guest_stage2_pa: 0x1d0,
  },
  "android16-6.12": { fixblock_map: 0x48, host_donate_hyp: 0xe0, request_hyp_alloc: 0x200 },
  "android17-6.18": { fixblock_map: 0x48, map_module_pages: 0x130, host_stage2_set_owned: 0x1f0 },
  "mainline-6.1": {},
  "mainline-6.12": {},
  "mainline-7.3": {},
} as const;

describe.each(BRANCH_NAMES)("%s", (name) => {
  const branch = BRANCHES[name];
  const counted = COUNTED[name];

  test("is found under its own name", () => {
    expect(branch.name).toBe(name);
    expect(branchOf({ branch: name })).toBe(branch);
    expect(isBranchName(name)).toBe(true);
  });

  test("has every slot of struct pkvm_module_ops once, in order", () => {
    expect(branch.ops).toHaveLength(counted.slots);
    expect(opsBytes(branch)).toBe(counted.bytes);
    expect(branch.ops.map(({ slot }) => slot)).toEqual(branch.ops.map((_, at) => at));
    for (const { slot, offset } of branch.ops) expect(offset).toBe(slot * SLOT_BYTES);
    const named = branch.ops.flatMap(({ op }) => (op === undefined ? [] : [op]));
    expect(named).toHaveLength(counted.ops);
    expect(new Set(named).size).toBe(named.length);
    expect(branch.ops[4]?.op).toBe(counted.slot4);
    for (const [op, offset] of Object.entries(OFFSETS[name])) {
      expect(slotOf(branch, op)?.offset).toBe(offset);
    }
  });

  test("has its reserved slots at the end, and a signature for every op", () => {
    const named = branch.ops.filter(({ op }) => op !== undefined).length;
    expect(branch.ops.slice(named).every(({ op }) => op === undefined)).toBe(true);
    for (const { op, signature } of branch.ops) {
      expect(signature === undefined).toBe(op === undefined);
    }
    for (const op of branch.nullOps) expect(slotOf(branch, op)).toBeDefined();
  });

  test("has every hypercall once, and none before __pkvm_prot_finalize that works after it", () => {
    expect(branch.hcalls).toHaveLength(counted.hcalls);
    expect(new Set(branch.hcalls).size).toBe(branch.hcalls.length);
    expect(branch.hcalls[0]).toBe("__kvm_hyp_init");
    expect(protFinalizeNumber(branch)).toBe(counted.protFinalize);
    for (const load of LOADING_HCALLS) {
      const number = hcallNumber(branch, load);
      if (branch.vendorModules) expect(number).toBeLessThan(counted.protFinalize);
      else expect(number).toBeUndefined();
    }
    expect(branch.hcalls.length).toBeLessThanOrEqual(branch.dynamicBase ?? 128);
  });

  test("maps text executable and nothing both writable and executable", () => {
    const text = branch.vendorModules ? [{ name: ".hyp.text", prot: 0b101 }] : [];
    expect(branch.mappedSections.slice(0, 1)).toEqual(text);
    for (const { prot } of branch.mappedSections) expect(prot & 0b011).not.toBe(0b011);
  });
});

test("the branches that were run are measured, and no other", () => {
  expect(BRANCH_NAMES.filter((name) => BRANCHES[name].evidence === "measured")).toEqual([
    "android14-6.1",
    "mainline-6.1",
    "mainline-6.12",
    "mainline-7.3",
  ]);
});

test("a branch without vendor modules has nothing of them, and no id to register under", () => {
  for (const name of BRANCH_NAMES) {
    const branch = BRANCHES[name];
    expect(branch.vendorModules).toBe(name.startsWith("android"));
    if (branch.vendorModules) {
      expect(firstDynamicId(branch)).toBe(128);
      continue;
    }
    expect(() => firstDynamicId(branch)).toThrow(name);
    expect(branch.ops).toEqual([]);
    expect(branch.mappedSections).toEqual([]);
    expect(branch.dynamicHcallMax).toBe(0);
  }
});

/** The recordings of the running kernels, one line a hypercall. */
const RECORDED: readonly (readonly [BranchName, string])[] = [
  ["android14-6.1", "android14-6.1.145"],
  ["mainline-6.1", "debian-6.1.192"],
  ["mainline-6.12", "debian-6.12.95"],
  ["mainline-7.3", "mainline-7.3.4"],
];

test.each(RECORDED)("the numbers of %s are the recorded ones", (name, kernel) => {
  const recording = join(import.meta.dirname, `host-hypercall-ids.${kernel}.jsonl`);
  const rows = readFileSync(recording, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { fn: string; n: number; id: string });
  const branch = BRANCHES[name];
  for (const { fn, n, id } of rows) {
    expect(hostSmcccId(n)).toBe(BigInt(id));
    if (fn === "__dynamic_hcalls") expect(n).toBe(branch.dynamicBase);
    else expect(hcallNumber(branch, fn)).toBe(n);
  }
  // Number 0 is in no recording; the base of the dynamic ids is in one.
  expect(rows).toHaveLength(branch.hcalls.length - (branch.vendorModules ? 0 : 1));
});

test("a name that is no branch is none", () => {
  expect(isBranchName("android13-5.15")).toBe(false);
  expect(isBranchName("constructor")).toBe(false);
});
