// Exclusive monitors: one core, two cores, and what clears a mark.

import { describe, expect, test } from "vitest";
import { max } from "../../../cpu/cpu-model.ts";
import { exceptionReturn } from "../../../cpu/exceptions/take.ts";
import type { AccessSize } from "../../../cpu/memory.ts";
import { readMem, writeMem } from "../../../cpu/mmu/access.ts";
import { clearExclusive, loadExclusive, storeExclusive } from "../../../cpu/mmu/monitors.ts";
import { resetCore } from "../../../cpu/reset.ts";
import type { Core } from "../../../cpu/state.ts";
import { load, machine, plain, summary } from "./machine.ts";

const at = 0x4500_0000n;
const exclusive = (sizeBytes: number) => plain(sizeBytes, { atomic: true });

function mark(core: Core, va = at, sizeBytes: AccessSize = 8): void {
  expect(typeof loadExclusive(core, va, sizeBytes, exclusive(sizeBytes))).toBe("bigint");
}

function store(core: Core, value: bigint, va = at, sizeBytes: AccessSize = 8) {
  return storeExclusive(core, va, sizeBytes, value, exclusive(sizeBytes));
}

function twoCores(): [Core, Core] {
  const first = machine();
  const second = resetCore(max, first.memory, 1n);
  second.pstate.EL = 1;
  return [first, second];
}

describe("one core", () => {
  test("a store-exclusive succeeds once after a load-exclusive", () => {
    const core = machine();
    expect(store(core, 1n)).toBe(1);
    mark(core);
    expect(store(core, 2n)).toBe(0);
    expect(load(core, at)).toBe(2n);
    expect(store(core, 3n)).toBe(1);
    expect(load(core, at)).toBe(2n);
  });

  test("another address or size fails, and the mark is gone", () => {
    const core = machine();
    mark(core);
    expect(store(core, 1n, at + 8n)).toBe(1);
    expect(store(core, 1n)).toBe(1);
    mark(core);
    expect(store(core, 1n, at, 4)).toBe(1);
    expect(load(core, at)).toBe(0n);
  });

  test("CLREX and an exception return clear the mark", () => {
    const core = machine();
    mark(core);
    clearExclusive(core);
    expect(store(core, 1n)).toBe(1);
    mark(core);
    core.sysreg.SPSR_EL1 = 0b0101n;
    exceptionReturn(core, 0x4000_0000n);
    expect(store(core, 1n)).toBe(1);
  });

  test("the core's own plain store leaves the mark", () => {
    const core = machine();
    mark(core);
    writeMem(core, at, 8, 5n, plain(8));
    expect(store(core, 6n)).toBe(0);
  });

  test("a store-exclusive faults whether there is a mark or not", () => {
    const core = machine();
    expect(summary(store(core, 1n, at + 4n))).toBe("EL1 ec 25 fsc 21");
    expect(summary(store(core, 1n, 0x1000n))).toBe("EL1 ec 25 fsc 10");
  });

  test("pairs of sixteen bytes", () => {
    const core = machine();
    mark(core, at, 16);
    expect(store(core, (7n << 64n) | 8n, at, 16)).toBe(0);
    expect(readMem(core, at, 16, plain(16))).toBe((7n << 64n) | 8n);
  });
});

describe("two cores", () => {
  test("a store of the other clears the mark, whatever its kind and size", () => {
    for (const write of [
      (core: Core) => writeMem(core, at + 4n, 1, 1n, plain(1)),
      (core: Core) => writeMem(core, at, 8, 1n, plain(8)),
      (core: Core) => {
        mark(core);
        return store(core, 9n);
      },
    ]) {
      const [first, second] = twoCores();
      // Twice, so that the fast path is taken too.
      writeMem(second, at + 0x10n, 8, 1n, plain(8));
      mark(first);
      write(second);
      expect(store(first, 2n)).toBe(1);
    }
  });

  test("a store beside the mark does not", () => {
    const [first, second] = twoCores();
    mark(first);
    writeMem(second, at + 8n, 8, 1n, plain(8));
    writeMem(second, at - 8n, 8, 1n, plain(8));
    expect(store(first, 2n)).toBe(0);
  });

  test("both may mark; one store wins", () => {
    const [first, second] = twoCores();
    mark(first);
    mark(second);
    expect(store(second, 1n)).toBe(0);
    expect(store(first, 2n)).toBe(1);
    expect(load(first, at)).toBe(1n);
  });

  test("losing the mark is an event for WFE", () => {
    const [first, second] = twoCores();
    mark(first);
    expect(first.event).toBe(false);
    writeMem(second, at, 1, 1n, plain(1));
    expect(first.event).toBe(true);
    expect(second.event).toBe(false);
  });
});
