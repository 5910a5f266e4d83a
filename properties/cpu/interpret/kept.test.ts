// What is worked out once is kept until what it depends on changes, and no longer: the operations
// of a page, control registers as they were last read, pages that need no more checks.

import { describe, expect, it } from "vitest";
import { max } from "../../../cpu/cpu-model.ts";
import { needsStep } from "../../../cpu/interpret/loop.ts";
import { decodeAt, decodedPage } from "../../../cpu/interpret/operations.ts";
import { pageForRead, writePhysical } from "../../../cpu/memory.ts";
import {
  FETCH,
  flushMicroTlb,
  liveContext,
  READ,
  remember,
  slotOf,
  splitAddress,
  type Use,
  WRITE,
} from "../../../cpu/mmu/micro-tlb.ts";
import { controlsOf } from "../../../cpu/mmu/regime.ts";
import type { Core } from "../../../cpu/state.ts";
import { machine, set } from "../mmu/machine.ts";

const RW = 1n << 31n;

describe("the operations of a page", () => {
  const pageOf = (core: Core) => pageForRead(core.memory, 0x4_0000)!;

  it("are decoded once", () => {
    const core = machine();
    const page = pageOf(core);
    const decoded = decodedPage(page, max.features);
    const operation = decodeAt(page, decoded, 8);
    expect(decodedPage(page, max.features)).toBe(decoded);
    expect(decodedPage(page, max.features).operations[2]).toBe(operation);
  });

  it("are decoded again after a store to the page, and for other features", () => {
    const core = machine();
    const before = decodedPage(pageOf(core), max.features);
    expect(decodedPage(pageOf(core), { ...max.features })).not.toBe(before);
    const again = decodedPage(pageOf(core), max.features);
    writePhysical(core.memory, 0x4000_0000n, 4, 0xd503_201fn);
    expect(decodedPage(pageOf(core), max.features)).not.toBe(again);
  });
});

describe("the controls of translation", () => {
  it("are read once, and again after a change of a register among them", () => {
    const core = machine();
    const controls = controlsOf(core);
    expect(controlsOf(core)).toBe(controls);
    set(core, { TPIDR_EL1: 1n });
    expect(controlsOf(core)).toBe(controls);
    set(core, { MAIR_EL1: 0xffn });
    expect(controlsOf(core)).not.toBe(controls);
    expect(controlsOf(core).el10.mair).toBe(0xffn);
  });
});

describe("a page that needs no more checks", () => {
  it("is remembered for its level and its use, until a table or a control register changes", () => {
    const core = machine();
    const { vpn } = { ...splitAddress(0x4000_1000n) };
    const found = (use: Use) => liveContext(core).vpns[slotOf(vpn, use)] === vpn;
    const again = () => remember(core, READ, 0x4000_1000n, 0x4000_1000, 0);
    again();
    expect([found(READ), found(WRITE)]).toEqual([true, false]);
    core.pstate.EL = 2;
    expect(found(READ)).toBe(false);
    core.pstate.EL = 1;
    expect(found(READ)).toBe(true);
    core.memory.tableGeneration++;
    expect(found(READ)).toBe(false);
    again();
    set(core, { MAIR_EL1: 1n });
    expect(found(READ)).toBe(false);
    again();
    flushMicroTlb(core.tlb.micro);
    expect(found(READ)).toBe(false);
  });
});

it("each use of a page has slots of its own", () => {
  const slots = (use: Use) => Array.from({ length: 128 }, (_, vpn) => slotOf(0x4_0000 + vpn, use));
  const all = [...slots(READ), ...slots(WRITE), ...slots(FETCH)];
  expect(new Set(all).size).toBe(3 * 128);
  expect(all.every((slot) => slot < liveContext(machine()).vpns.length)).toBe(true);
});

describe("single steps are needed", () => {
  it.each<[string, (core: Core) => void]>([
    ["an IRQ", (core) => Object.assign(core.pending, { irq: true })],
    ["an FIQ", (core) => Object.assign(core.pending, { fiq: true })],
    ["an SError", (core) => Object.assign(core.pending, { serror: true })],
    ["MDSCR_EL1.SS", (core) => set(core, { MDSCR_EL1: 1n })],
    ["HCR_EL2.VF", (core) => set(core, { HCR_EL2: RW | (1n << 6n) })],
    ["HCR_EL2.VI", (core) => set(core, { HCR_EL2: RW | (1n << 7n) })],
    ["HCR_EL2.VSE", (core) => set(core, { HCR_EL2: RW | (1n << 8n) })],
    ["PSTATE.IL", (core) => Object.assign(core.pstate, { IL: 1 })],
  ])("while there is %s, and only then", (_what, change) => {
    const core = machine({ sysregs: { HCR_EL2: RW | (1n << 5n) | (1n << 9n) } });
    expect(needsStep(core)).toBe(false);
    change(core);
    expect(needsStep(core)).toBe(true);
  });
});
