// Fills a new machine: the kernel's tables and text, the hypervisor's tables, text, ops table and
// marks.

import { writePhysical } from "../../cpu/memory.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO } from "../../spec/types/module.ts";
import { EXPORTED_CODE, EXPORTED_OBJECTS } from "../kernel/exported/objects.ts";
import { hypAttributes, kernelAttributes } from "../pgtable/attributes.ts";
import { annotation } from "../pgtable/descriptor.ts";
import type { PhysicalRange } from "../pgtable/host-stage2.ts";
import { HYP_LINEAR_OFFSET } from "../pgtable/hyp-stage1.ts";
import { ENTRIES } from "../pgtable/physical.ts";
import { findLeaf, mapRange, writeLeaf } from "../pgtable/table.ts";
import { opGate, presentOps } from "./gates.ts";
import {
  HYP_ENTER_HOST,
  HYP_RODATA_PA,
  HYP_TEXT_PA,
  HYP_TEXT_PAGES,
  HYP_VECTORS,
  hypStack,
  hypStackPa,
  KERNEL_CODE,
  KERNEL_DATA,
  KERNEL_DATA_BYTES,
  KERNEL_DATA_PA,
  KERNEL_OBJECTS,
  KERNEL_STACK_BYTES,
  KERNEL_TEXT,
  KERNEL_TEXT_BYTES,
  KERNEL_TEXT_PA,
  kernelLinear,
  kernelStack,
  kernelStackPa,
  MEMORY_END,
  MEMORY_START,
} from "./layout.ts";
import type { Machine } from "./machine.ts";
import { ERET, STUB_WORDS, textPa } from "./stubs.ts";

const PAGE = 4096n;

/** The bits of an address that the kernel's table translates. */
const inputMask = ({ kernelTable }: Machine): bigint => (1n << BigInt(kernelTable.inputBits)) - 1n;

/** Builds everything. `firmware` is left out of the kernel's linear map. */
export function buildTables(machine: Machine, firmware: PhysicalRange | undefined): void {
  mapKernel(machine, firmware);
  writeKernelText(machine);
  writeKernelObjects(machine);
  mapHyp(machine);
  writeHypText(machine);
  markCarveOut(machine);
}

function mapKernel(machine: Machine, firmware: PhysicalRange | undefined): void {
  const map = (va: bigint, bytes: bigint, pa: bigint, prot: "rw" | "rx"): void => {
    const from = va & inputMask(machine);
    const { physical, kernelPool, kernelTable } = machine;
    mapRange(
      physical,
      kernelPool,
      kernelTable,
      { from, to: from + bytes, pa },
      kernelAttributes(prot),
    );
  };
  const linear = (start: bigint, end: bigint): void =>
    map(kernelLinear(machine.branch, start), end - start, start, "rw");
  linear(MEMORY_START, firmware?.start ?? MEMORY_END);
  if (firmware !== undefined) linear(firmware.end, MEMORY_END);
  map(KERNEL_TEXT, KERNEL_TEXT_BYTES, KERNEL_TEXT_PA, "rx");
  map(KERNEL_DATA, KERNEL_DATA_BYTES, KERNEL_DATA_PA, "rw");
  for (let cpu = 0; cpu < machine.cores.length; cpu++) {
    map(kernelStack(cpu).bottom, KERNEL_STACK_BYTES, kernelStackPa(cpu), "rw");
  }
}

function writeKernelText(machine: Machine): void {
  for (const [va, word] of STUB_WORDS) {
    writePhysical(machine.memory, textPa(va), 4, BigInt(word));
  }
  for (const [va, words] of codePlaces()) {
    words.forEach((word, n) => {
      writePhysical(machine.memory, textPa(va) + BigInt(4 * n), 4, BigInt(word));
    });
  }
}

const CODE_BYTES = 64n;

/** Exported pieces of code and where they lie. */
export const codePlaces = (): readonly (readonly [
  typeof KERNEL_CODE,
  readonly number[],
  string,
])[] =>
  EXPORTED_CODE.map(
    ({ name, words }, n) =>
      [(KERNEL_CODE + BigInt(n) * CODE_BYTES) as typeof KERNEL_CODE, words, name] as const,
  );

/** Exported variables and where they lie: one after the other, each on 16 bytes. */
export function objectPlaces(): ReadonlyMap<string, bigint> {
  const places = new Map<string, bigint>();
  let at: bigint = KERNEL_OBJECTS;
  for (const { name, sizeBytes } of EXPORTED_OBJECTS) {
    places.set(name, at);
    at += (BigInt(sizeBytes) + 15n) & ~15n;
  }
  return places;
}

function writeKernelObjects(machine: Machine): void {
  const places = objectPlaces();
  const place = {
    memoryStart: MEMORY_START,
    imageOffset: KERNEL_TEXT - KERNEL_TEXT_PA,
    cpuCount: machine.cores.length,
    addressOf: (name: string) => machine.gates.functions.get(name)!,
  };
  for (const object of EXPORTED_OBJECTS) {
    const va = places.get(object.name)!;
    object.words(place, va).forEach((word, n) => {
      const pa = va - KERNEL_DATA + KERNEL_DATA_PA + BigInt(8 * n);
      writePhysical(machine.memory, pa, 8, BigInt.asUintN(64, word));
    });
  }
}

/**
 * EL2's tables: the carve-out in the linear map, with its text executable and its rodata read-only,
 * and the stacks.
 * CHOICE: pKVM maps the carve-out page by page and its text from the kernel image; here blocks
 * where nothing differs, and
 * the text in the carve-out, so that one range is the hypervisor's.
 */
function mapHyp(machine: Machine): void {
  const { physical, hypPool, hypTable, branch } = machine;
  const { carveOut } = branch.layout;
  const map = (va: bigint, pa: bigint, pages: bigint, prot: number): void =>
    mapRange(
      physical,
      hypPool,
      hypTable,
      { from: va, to: va + pages * PAGE, pa },
      hypAttributes(prot),
    );
  const start = BigInt(carveOut.first) * PAGE;
  const pages = BigInt(carveOut.last - carveOut.first + 1);
  map(start + HYP_LINEAR_OFFSET, start, pages, PAGE_HYP);
  map(HYP_TEXT_PA + HYP_LINEAR_OFFSET, HYP_TEXT_PA, HYP_TEXT_PAGES, PAGE_HYP_EXEC);
  map(HYP_RODATA_PA + HYP_LINEAR_OFFSET, HYP_RODATA_PA, 1n, PAGE_HYP_RO);
  for (let cpu = 0; cpu < machine.cores.length; cpu++) {
    map(hypStack(cpu).bottom, hypStackPa(cpu), 1n, PAGE_HYP);
  }
}

function writeHypText(machine: Machine): void {
  const { memory, branch } = machine;
  writePhysical(memory, HYP_ENTER_HOST - HYP_VECTORS + HYP_TEXT_PA, 4, BigInt(ERET));
  for (const { slot } of presentOps(branch)) {
    writePhysical(memory, HYP_RODATA_PA + BigInt(8 * slot), 8, opGate(slot));
  }
}

/**
 * The host's stage 2 says that the carve-out is the hypervisor's, page by page. Source:
 * fix_host_ownership; measured.
 */
function markCarveOut(machine: Machine): void {
  const { physical, hypPool, hostStage2, branch } = machine;
  const { carveOut } = branch.layout;
  const mark = annotation("HYP");
  const step = BigInt(ENTRIES) * PAGE;
  const end = (BigInt(carveOut.last) + 1n) * PAGE;
  for (let block = BigInt(carveOut.first) * PAGE; block < end; block += step) {
    writeLeaf(physical, hypPool, hostStage2.table, { address: block, level: 3 }, mark);
    const table = findLeaf(physical, hostStage2.table, block).at;
    physical.writePage(table, new BigUint64Array(ENTRIES).fill(mark));
  }
}
