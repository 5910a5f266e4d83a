// The branch tables: complete, without a gap, and equal to what was counted and measured elsewhere.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { BRANCH_NAMES, SLOT_BYTES } from "../../spec/branches/branch.ts";
import {
  BRANCHES,
  branchOf,
  hcallNumber,
  hostSmcccId,
  isBranchName,
  opsBytes,
  protFinalizeNumber,
  slotOf,
} from "../../spec/branches/branches.ts";

/**
 * Counted by hand in the headers and enums of each branch, not derived from the tables under test.
 */
const COUNTED = {
  "android14-6.1": { slots: 64, bytes: 512, ops: 33, hcalls: 44, protFinalize: 17, slot4: "puts" },
  "android15-6.6": { slots: 86, bytes: 688, ops: 59, hcalls: 61, protFinalize: 20, slot4: "putc" },
  "android16-6.12": { slots: 93, bytes: 744, ops: 65, hcalls: 83, protFinalize: 21, slot4: "putc" },
  "android17-6.18": { slots: 94, bytes: 752, ops: 63, hcalls: 85, protFinalize: 21, slot4: "putc" },
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
    const firstReserved = branch.ops.findIndex(({ op }) => op === undefined);
    expect(branch.ops.slice(firstReserved).every(({ op }) => op === undefined)).toBe(true);
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
    for (const load of [
      "__pkvm_alloc_module_va",
      "__pkvm_map_module_page",
      "__pkvm_unmap_module_page",
      "__pkvm_init_module",
      "__pkvm_register_hcall",
    ]) {
      expect(hcallNumber(branch, load)).toBeLessThan(counted.protFinalize);
    }
    expect(branch.hcalls.length).toBeLessThanOrEqual(branch.dynamicBase);
  });

  test("maps text executable and nothing both writable and executable", () => {
    expect(branch.mappedSections[0]).toEqual({ name: ".hyp.text", prot: 0b101 });
    for (const { prot } of branch.mappedSections) expect(prot & 0b011).not.toBe(0b011);
  });
});

test("android14-6.1 alone is measured", () => {
  expect(BRANCH_NAMES.filter((name) => BRANCHES[name].evidence === "measured")).toEqual([
    "android14-6.1",
  ]);
});

test("the numbers of android14-6.1 are the recorded ones", () => {
  const recording = join(import.meta.dirname, "host-hypercall-ids.android14-6.1.145.jsonl");
  const rows = readFileSync(recording, "utf8")
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { fn: string; n: number; id: string });
  const branch = BRANCHES["android14-6.1"];
  for (const { fn, n, id } of rows) {
    expect(hostSmcccId(n)).toBe(BigInt(id));
    if (fn === "__dynamic_hcalls") expect(n).toBe(branch.dynamicBase);
    else expect(hcallNumber(branch, fn)).toBe(n);
  }
  expect(rows).toHaveLength(branch.hcalls.length);
});

test("a name that is no branch is none", () => {
  expect(isBranchName("android13-5.15")).toBe(false);
  expect(isBranchName("constructor")).toBe(false);
});
