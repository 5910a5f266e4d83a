// memcpy and memset of struct pkvm_module_ops: bytes move, over pages, until one faults.

import { expect, test } from "vitest";
import { readHyp } from "../../../model/machine/hyp-memory.ts";
import { opEffect } from "../../../model/machine/op-effects.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { pfn } from "../../../spec/types/address.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import { newMachine, STARTED, withPages } from "../machine/bench-machine.ts";

/** EL2's address of the page 0x50000 (kern_hyp_va; measured, machines). */
const FIRST = 0x40_1000_0000n;
/** Three pages are the hypervisor's, the fourth is not. */
const END = FIRST + 0x3000n;

function bench() {
  const machine = newMachine();
  const pages = new Map([0x50000, 0x50001, 0x50002].map((page) => [pfn(page), HYP_PAGE]));
  const hyp = withPages(STARTED, pages);
  syncDescriptors(machine, STARTED, hyp);
  const call = (op: "memcpy" | "memset", ...args: readonly bigint[]) =>
    opEffect(machine, { cpu: 0, op, args, value: args[0] ?? 0n, hyp });
  const read = (va: bigint, length: number): string => {
    const bytes = readHyp(machine, 0, va, length);
    if (!(bytes instanceof Uint8Array)) throw new Error("a fault");
    return Buffer.from(bytes).toString("hex");
  };
  return { call, read };
}

test("memset writes the low byte of its value, over the end of a page", () => {
  const { call, read } = bench();
  expect(call("memset", FIRST + 0xffen, 0x15an, 4n)).toBeUndefined();
  expect(read(FIRST + 0xffdn, 6)).toBe("005a5a5a5a00");
});

test("memcpy copies more than a page", () => {
  const { call, read } = bench();
  call("memset", FIRST, 0x11n, 1n);
  call("memset", FIRST + 0x1007n, 0x22n, 1n);
  expect(call("memcpy", FIRST + 0x1800n, FIRST, 0x1008n)).toBeUndefined();
  expect(read(FIRST + 0x1800n, 2)).toBe("1100");
  expect(read(FIRST + 0x2807n, 2)).toBe("2200");
});

test("what is before a page that EL2 does not map is written, and then it faults", () => {
  const { call, read } = bench();
  expect(call("memset", END - 0x1000n, 0x33n, 0x2000n)).toMatchObject({ kind: "fault" });
  expect(read(END - 2n, 2)).toBe("3333");
  expect(call("memset", END, 0x33n, 0n)).toBeUndefined();
});
