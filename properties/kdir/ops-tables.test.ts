// kdir's headers give every operation of struct pkvm_module_ops its slot, on every KMI.

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { LIST_OPERATIONS, OPS_TABLES, type OpsTable } from "./ops-tables.ts";
import { compile, compilers, describeWith, GCC_AND_MAKE, KDIR } from "./toolchain.ts";

const SLOT_BYTES = 8;

const headerOf = (kmi: string): string =>
  readFileSync(join(KDIR, `arch/arm64/include/asm/pkvm_module_ops/${kmi}.h`), "utf8");

/** The operations of a table as a kernel without CONFIG_LIST_HARDENED has them. */
const withoutList = (table: OpsTable): readonly string[] =>
  table.operations.filter((operation) => !LIST_OPERATIONS.includes(operation));

/** C text whose every line fails to compile if an operation is not where it should be. */
function assertions(operations: readonly string[], sizeBytes: number, shift = 0): string {
  const lines = operations.map((operation, slot) => {
    const at = SLOT_BYTES * slot + shift;
    return `static_assert(offsetof(struct pkvm_module_ops, ${operation}) == ${at});`;
  });
  const size = `static_assert(sizeof(struct pkvm_module_ops) == ${sizeBytes});`;
  return ["#include <asm/kvm_pkvm_module.h>", ...lines, size, ""].join("\n");
}

describe("the tables of this test", () => {
  it.each(OPS_TABLES)("$kmi: the slots fill the structure, each operation once", (table) => {
    expect(table.slotCount * SLOT_BYTES).toBe(table.sizeBytes);
    expect(new Set(table.operations).size).toBe(table.operations.length);
    expect(table.operations.length).toBeLessThan(table.slotCount);
  });

  it("count what the public counts say: 33 operations on 6.1, 65 on 6.12", () => {
    const counts = OPS_TABLES.map((table) => table.operations.length);
    expect(counts).toEqual([33, 59, 65, 63]);
  });

  it("android14-6.1 has no list operations, the later branches have both", () => {
    const list = OPS_TABLES.map((table) => table.operations.length - withoutList(table).length);
    expect(list).toEqual([0, 2, 2, 2]);
  });
});

describe("the headers as text", () => {
  it.each(OPS_TABLES)("$kmi: one assertion for each slot, in the table's order", (table) => {
    const header = headerOf(table.kmi);
    const asserted = [...header.matchAll(/^PKVM_OPS_AT\((?:\w+\()?(\d+)\)?, (\w+)\);$/gm)].map(
      ([, slot, operation]) => [Number(slot), operation],
    );
    const used = asserted.slice(0, -1);
    expect(used).toEqual(table.operations.map((operation, slot) => [slot, operation]));
    expect(asserted.at(-1)?.[0]).toBe(table.operations.length);
    expect(header).toMatch(new RegExp(`PKVM_OPS_SLOTS\\((?:\\w+\\()?${table.slotCount}\\)`));
  });
});

describeWith(GCC_AND_MAKE, "the headers as compiled", () => {
  describe.each(compilers)("by %s", (compiler) => {
    it.each(OPS_TABLES)("$kmi: every operation lies at 8 times its slot", (table) => {
      const said = compile(assertions(table.operations, table.sizeBytes), table.kmi, compiler);
      expect(said).toEqual({ status: 0, text: "" });
    });

    it.each(OPS_TABLES.slice(1))(
      "$kmi: without CONFIG_LIST_HARDENED the two list operations are gone",
      (table) => {
        const text = assertions(withoutList(table), table.sizeBytes - 2 * SLOT_BYTES);
        const said = compile(text, table.kmi, compiler, "-DCONFIG_LIST_HARDENED_OFF=1");
        expect(said).toEqual({ status: 0, text: "" });
      },
    );

    it("canary: a table that is off by one slot does not compile", () => {
      const [table] = OPS_TABLES;
      const text = assertions(table!.operations, table!.sizeBytes, SLOT_BYTES);
      expect(compile(text, table!.kmi, compiler).status).not.toBe(0);
    });

    it("canary: a table of another branch does not compile", () => {
      const [first, second] = OPS_TABLES;
      const text = assertions(first!.operations, first!.sizeBytes);
      expect(compile(text, second!.kmi, compiler).status).not.toBe(0);
    });
  });
});
