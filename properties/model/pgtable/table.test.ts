// Descriptors against the entries measured on android14-6.1.145 and against arithmetic on paper.

import { expect, test } from "vitest";
import {
  hostStage2Attributes,
  hostStage2Prot,
  hypAttributes,
  hypProt,
  kernelAttributes,
} from "../../../model/pgtable/attributes.ts";
import { annotation, leaf, ownerOf, stateName } from "../../../model/pgtable/descriptor.ts";
import {
  type HostStage2,
  hostEntry,
  setHostPage,
  touch,
} from "../../../model/pgtable/host-stage2.ts";
import {
  hypLinear,
  hypLinearEntry,
  hypPhys,
  moduleEntry,
} from "../../../model/pgtable/hyp-stage1.ts";
import type { PhysicalMemory } from "../../../model/pgtable/physical.ts";
import {
  findLeaf,
  leaves,
  mapRange,
  type TranslationTable,
  translate,
  writeLeaf,
} from "../../../model/pgtable/table.ts";
import { addressOf, pfn } from "../../../spec/types/address.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO } from "../../../spec/types/module.ts";
import { HYP_PAGE, PLAIN_PAGE, SHARED_PAGE } from "../../../spec/types/page.ts";
import { wordMemory } from "./word-memory.ts";

const POOL = 0x7f40_0000n;
const PAGE = pfn(0x48123);
const PA = addressOf(PAGE);

function host(): {
  memory: PhysicalMemory;
  stage2: HostStage2;
  pool: { next: bigint; end: bigint };
} {
  return {
    memory: wordMemory(),
    stage2: {
      table: { root: POOL, inputBits: 40 },
      memory: [{ start: 0x4000_0000n, end: 0x8000_0000n }],
    },
    pool: { next: POOL + 0x2000n, end: POOL + 0x10_0000n },
  };
}

test("host stage-2 entries of a memory page are those that were measured", () => {
  const entry = (prot: number) => leaf(0n, 3, hostStage2Attributes(prot));
  const measured: readonly [number, bigint][] = [
    [7, 0x7ffn],
    [1, 0x73fn],
    [3, 0x7bfn],
    [5, 0x77fn],
    [2, 0x400000000007bfn],
    [6, 0x400000000007ffn],
    [8, 0x40000000000707n],
    [0xf, 0x7c7n],
  ];
  for (const [prot, expected] of measured) {
    expect(entry(prot), `protection ${prot}`).toBe(expected);
    expect(hostStage2Prot(expected)).toBe(prot);
  }
  expect(leaf(0n, 1, hostStage2Attributes(6))).toBe(0x400000000007fdn);
  expect(leaf(0n, 2, hostStage2Attributes(7))).toBe(0x7fdn);
});

test("annotations of another owner are those that were measured", () => {
  expect(annotation("HYP")).toBe(0x4n);
  expect(annotation("PROTECTED")).toBe(0x10n);
  expect(annotation("HOST")).toBe(0n);
  for (const owner of ["HOST", "HYP", "GUEST", "FFA", "PROTECTED"] as const) {
    expect(ownerOf(annotation(owner))).toBe(owner);
  }
  expect(ownerOf(5n << 2n)).toBeUndefined();
  expect(ownerOf(0x7ffn)).toBeUndefined();
});

test("a page that changes state gets the entries that trace ops shows, in order", () => {
  const { stage2 } = host();
  const shared = { ...PLAIN_PAGE, host: "SHARED_OWNED", hyp: "SHARED_BORROWED" } as const;
  expect(hostEntry(stage2, PAGE, PLAIN_PAGE, HYP_PAGE)).toBe(0x4n);
  expect(hostEntry(stage2, PAGE, HYP_PAGE, PLAIN_PAGE)).toBe(0n);
  expect(hostEntry(stage2, PAGE, PLAIN_PAGE, shared)).toBe(PA + 0x800000000007ffn);
  expect(hostEntry(stage2, PAGE, shared, PLAIN_PAGE)).toBe(PA + 0x7ffn);
  expect(stateName(hostEntry(stage2, PAGE, PLAIN_PAGE, shared))).toBe("SHARED_OWNED");
});

test("EL2 stage-1 attributes: AP[1] and AF and inner shareable always, W^X as given", () => {
  // AF 0x400, SH 0x300, AP[1] 0x40; AP[2] 0x80 read-only; XN bit 54; attribute index 4 is 0x10.
  expect(hypAttributes(PAGE_HYP)).toBe(0x40000000000740n);
  expect(hypAttributes(PAGE_HYP_EXEC)).toBe(0x7c0n);
  expect(hypAttributes(PAGE_HYP_RO)).toBe(0x400000000007c0n);
  expect(hypAttributes(PAGE_HYP | 8)).toBe(0x40000000000750n);
  for (const prot of [PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO, PAGE_HYP | 8]) {
    expect(hypProt(hypAttributes(prot))).toBe(prot);
  }
  expect(moduleEntry(PAGE, PAGE_HYP_EXEC)).toBe(PA | 0x7c3n);
  expect(hypLinearEntry(PAGE, HYP_PAGE, true)).toBe(PA | 0x40000000000743n);
  // SHARED_BORROWED is software bit 1: bit 56.
  expect(hypLinearEntry(PAGE, SHARED_PAGE, true)).toBe(PA | 0x140000000000743n);
  expect(hypLinearEntry(PAGE, PLAIN_PAGE, true)).toBe(0n);
});

test("EL1 kernel attributes are never reachable from EL0 and never writable and executable", () => {
  expect(kernelAttributes("rw")).toBe(0x60000000000700n);
  expect(kernelAttributes("ro")).toBe(0x60000000000780n);
  expect(kernelAttributes("rx")).toBe(0x40000000000780n);
  expect(kernelAttributes("device")).toBe(0x60000000000710n);
});

test("the EL2 linear map is the measured one", () => {
  expect(hypLinear(0x4000_0000n)).toBe(0x40_0000_0000n);
  expect(hypLinear(0x7f40_0000n)).toBe(0x40_3f40_0000n);
  expect(hypPhys(0x40_3f40_0000n)).toBe(0x7f40_0000n);
});

test("a first touch below memory maps one level-1 block, above it another", () => {
  const { memory, pool, stage2 } = host();
  expect(touch(memory, pool, stage2, 0x900_0000n)).toEqual({ kind: "mapped", level: 1 });
  const found = findLeaf(memory, stage2.table, 0x900_0000n);
  expect(found).toEqual({ entry: 0x400000000007fdn, level: 1, at: POOL });
  expect(touch(memory, pool, stage2, 0x3fff_f000n).kind).toBe("valid");
  expect(touch(memory, pool, stage2, 0x1_0000_0000n)).toEqual({ kind: "mapped", level: 1 });
  expect(findLeaf(memory, stage2.table, 0x1_0000_0000n).at).toBe(POOL + 8n * 4n);
  // The second of the two concatenated root pages.
  touch(memory, pool, stage2, 0x80_0000_0000n);
  expect(memory.read64(POOL + 0x1000n)).toBe(0x80_0000_0000n | 0x400000000007fdn);
});

test("a first touch of memory beside a mark maps 2 MiB, beside a changed page one page", () => {
  const { memory, pool, stage2 } = host();
  setHostPage(memory, pool, stage2, PAGE, annotation("HYP"));
  expect(findLeaf(memory, stage2.table, PA)).toMatchObject({ entry: 0x4n, level: 3 });
  expect(touch(memory, pool, stage2, PA)).toEqual({ kind: "not the host's", entry: 4n, level: 3 });
  expect(touch(memory, pool, stage2, PA + 0x1000n)).toEqual({ kind: "mapped", level: 3 });
  expect(findLeaf(memory, stage2.table, PA + 0x1008n).entry).toBe(PA + 0x1000n + 0x7ffn);
  expect(touch(memory, pool, stage2, PA + 0x20_0000n)).toEqual({ kind: "mapped", level: 2 });
  const block = (PA + 0x20_0000n) & ~0x1f_ffffn;
  expect(findLeaf(memory, stage2.table, PA + 0x20_0000n).entry).toBe(block + 0x7fdn);
});

test("a block that a memblock does not fill is not used", () => {
  const { memory, pool, stage2 } = host();
  const firmware = { start: 0x7800_0000n, end: 0x7810_0000n };
  const cut: HostStage2 = {
    ...stage2,
    memory: [
      { start: 0x4000_0000n, end: firmware.start },
      firmware,
      { start: firmware.end, end: 0x8000_0000n },
    ],
  };
  expect(touch(memory, pool, cut, 0x7800_3000n)).toEqual({ kind: "mapped", level: 3 });
  expect(touch(memory, pool, cut, 0x77e0_0000n)).toEqual({ kind: "mapped", level: 2 });
});

test("changing one page of a level-1 block splits it and leaves every neighbour as it was", () => {
  const { memory, pool, stage2 } = host();
  touch(memory, pool, stage2, 0x900_0000n);
  setHostPage(memory, pool, stage2, pfn(0xa000), annotation("HYP"));
  expect(findLeaf(memory, stage2.table, 0xa00_0000n)).toMatchObject({ entry: 4n, level: 3 });
  expect(findLeaf(memory, stage2.table, 0xa00_1000n)).toMatchObject({
    entry: 0xa00_1000n + 0x400000000007ffn,
    level: 3,
  });
  expect(findLeaf(memory, stage2.table, 0x900_0000n)).toMatchObject({
    entry: 0x900_0000n + 0x400000000007fdn,
    level: 2,
  });
  expect([...leaves(memory, stage2.table)]).toHaveLength(511 + 512);
});

test("mapRange takes the largest blocks that fit", () => {
  const memory = wordMemory();
  const table: TranslationTable = { root: POOL, inputBits: 39 };
  const pool = { next: POOL + 0x1000n, end: POOL + 0x10_0000n };
  mapRange(
    memory,
    pool,
    table,
    { from: 0x1ff000n, to: 0x402000n, pa: 0x481ff000n },
    hypAttributes(6),
  );
  const seen = [...leaves(memory, table)].map(({ address, level }) => [address, level]);
  expect(seen).toEqual([
    [0x1ff000n, 3],
    [0x200000n, 2],
    [0x400000n, 3],
    [0x401000n, 3],
  ]);
  expect(translate(memory, table, 0x234567n)).toBe(0x48234567n);
  expect(translate(memory, table, 0x402000n)).toBeUndefined();
});

test("an address outside the table, a full pool, a block over a table are refused loudly", () => {
  const { memory, stage2 } = host();
  const none = { next: POOL, end: POOL };
  expect(() => findLeaf(memory, stage2.table, 1n << 40n)).toThrow(RangeError);
  expect(() => setHostPage(memory, none, stage2, PAGE, 4n)).toThrow(/pool exhausted/);
  const { pool } = host();
  setHostPage(memory, pool, stage2, PAGE, 4n);
  expect(() =>
    writeLeaf(memory, pool, stage2.table, { address: PA & ~0x1fffffn, level: 2 }, 0n),
  ).toThrow(/a table stands/);
});

test("48 bits of input have a root of their own, whose empty entries lead nowhere", () => {
  const memory = wordMemory();
  const table: TranslationTable = { root: POOL, inputBits: 48 };
  const pool = { next: POOL + 0x1000n, end: POOL + 0x10_0000n };
  // Physical address 0, where an empty entry would point to.
  memory.write64(0n, leaf(0x4800_0000n, 1, 0n));
  const address = 0x8080_4020_3000n;
  writeLeaf(memory, pool, table, { address, level: 3 }, leaf(PA, 3, 0n));
  // Nine bits of the address for each level: index 0x101 of the root.
  expect(memory.read64(POOL + 8n * (address >> 39n))).not.toBe(0n);
  expect([...leaves(memory, table)]).toEqual([
    { address, level: 3, entry: leaf(PA, 3, 0n), count: 1 },
  ]);
});
