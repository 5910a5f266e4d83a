// Pages of every kind in one range of addresses: the leaves and the faults that vectors are aimed
// at.

import type { Features } from "../../cpu/cpu-model.ts";
import { LAYOUT } from "./layout.ts";
import type { Random } from "./random.ts";
import {
  allocateTable,
  leafType,
  levelShift,
  linkTable,
  type TableMemory,
  type TableRoot,
  writeDescriptor,
} from "./translation-tables.ts";

/** A stretch of input addresses that leads to the data window, or to a fault. */
export interface Target {
  readonly address: bigint;
  readonly sizeBytes: number;
  /** Where the output address is, when the walk gets as far as a leaf. */
  readonly pa: bigint | undefined;
  /** Of this stretch and of the one behind it: the less cacheable one. */
  readonly memory: MemoryKind;
}

/** Normal write-back, other Normal memory, Device. */
export type MemoryKind = "write-back" | "normal" | "device";

const KINDS: readonly MemoryKind[] = ["write-back", "normal", "device"];

/** What two stages, or two neighbours, make of each other. */
function lessCacheable(a: MemoryKind, b: MemoryKind): MemoryKind {
  return KINDS[Math.max(KINDS.indexOf(a), KINDS.indexOf(b))]!;
}

/** Which stage, and whose. */
export type Regime = "EL1&0" | "EL2" | "stage 2";

/**
 * MAIR_ELx of all configurations: Device-nGnRnE, write-back, non-cacheable, Tagged, and others.
 * Without allocation tags the Tagged type is reserved: it is write-back then.
 */
export function memoryTypes(features: Features): bigint {
  const tagged = features.MTE2 ? 0xf0n : 0xffn;
  return 0xee_0c_bb_04_00_44_ff_00n | (tagged << 24n);
}
const NORMAL_INDEX = 1n;
const DEVICE_INDEXES = [0, 4, 6];
const WRITE_BACK_INDEXES = [1, 3, 7];
export const TAGGED_INDEX = 3n;

const AF = 1n << 10n;
const INNER_SHAREABLE = 3n << 8n;

/** Attributes of a stage 1 leaf that permits everything that one leaf can. */
export function plainStage1(options: {
  readonly index?: bigint;
  readonly readOnly?: boolean;
  readonly el0?: boolean;
  readonly guarded?: boolean;
}): bigint {
  return (
    ((options.index ?? NORMAL_INDEX) << 2n) |
    ((options.el0 === true ? 1n : 0n) << 6n) |
    ((options.readOnly === true ? 1n : 0n) << 7n) |
    INNER_SHAREABLE |
    AF |
    ((options.guarded === true ? 1n : 0n) << 50n)
  );
}

/** Attributes of a stage 2 leaf: normal write-back, read and write. */
export const plainStage2: bigint = (0xfn << 2n) | (3n << 6n) | INNER_SHAREABLE | AF;

function bit(random: Random, position: bigint, n = 2): bigint {
  return random.oneIn(n) ? 1n << position : 0n;
}

/** Memory attributes, permissions, access flag, guarded page, execute-never, dirty modifier. */
function randomAttributes(random: Random, regime: Regime): bigint {
  const shareability = BigInt(random.pick([0, 2, 3])) << 8n;
  const accessFlag = random.oneIn(8) ? 0n : AF;
  const permission = BigInt(random.below(4)) << 6n;
  const never = bit(random, 54n, 4) | bit(random, 53n, 4);
  if (regime === "stage 2") {
    const memory = BigInt(random.pick([0xf, 0xf, 0xf, 0x5, 0x1, 0x0, 0x2, 0x3, 0x7])) << 2n;
    return memory | permission | shareability | accessFlag | never;
  }
  const index = BigInt(random.pick([1, 1, 1, 1, 3, 2, 0, 4, 5, 6, 7])) << 2n;
  const common = index | shareability | accessFlag | bit(random, 50n) | bit(random, 51n, 4);
  // At EL2 AP[1] is RES1 and there is one execute-never bit.
  if (regime === "EL2") return common | permission | (1n << 6n) | (never & (1n << 54n));
  return common | permission | never | bit(random, 11n) | bit(random, 5n);
}

/**
 * The memory type that a leaf asks for. Stage 2 without FWB: MemAttr 00xx is Device, 1111
 * write-back.
 */
function memoryKind(attributes: bigint, regime: Regime): MemoryKind {
  if (regime === "stage 2") {
    const memory = Number((attributes >> 2n) & 15n);
    return memory < 4 ? "device" : memory === 15 ? "write-back" : "normal";
  }
  const index = Number((attributes >> 2n) & 7n);
  if (DEVICE_INDEXES.includes(index)) return "device";
  return WRITE_BACK_INDEXES.includes(index) ? "write-back" : "normal";
}

/**
 * Where a leaf of this size may lead so that it covers the window, and where the window is in it.
 */
function windowLeaf(random: Random, shift: number): { output: bigint; offset: bigint } {
  const size = 1n << BigInt(shift);
  if (size >= LAYOUT.WINDOW_BYTES) {
    const output = BigInt(LAYOUT.WINDOW) & -size;
    return { output, offset: BigInt(LAYOUT.WINDOW) - output };
  }
  const pages = LAYOUT.WINDOW_BYTES >> shift;
  return { output: BigInt(LAYOUT.WINDOW) + BigInt(random.below(pages)) * size, offset: 0n };
}

interface Zoo {
  readonly memory: TableMemory;
  readonly root: TableRoot;
  readonly regime: Regime;
  readonly random: Random;
  /** Bits of an output address that are too many for the configured size. */
  readonly outputBits: number;
  /** Stage 2 targets that stage 1 leaves lead to, beside the window itself. */
  readonly behind: readonly Target[];
  readonly targets: Target[];
}

/** Writes one random leaf, or something that is none. */
function addLeaf(zoo: Zoo, address: bigint, level: number): void {
  const { memory, root, regime, random } = zoo;
  const shift = levelShift(root.granuleBits, level);
  const direct = windowLeaf(random, shift);
  const other = zoo.behind.length > 0 && level === 3 && !random.oneIn(4);
  const through = other ? random.pick(zoo.behind) : undefined;
  const output = through === undefined ? direct.output : through.address & -(1n << BigInt(shift));
  const sizeBytes = Math.min(2 ** shift, through?.sizeBytes ?? LAYOUT.WINDOW_BYTES);
  const offset = through === undefined ? direct.offset : through.address - output;
  let pa = through === undefined ? direct.output + direct.offset : through.pa;
  const attributes = randomAttributes(random, regime);
  const kind = lessCacheable(memoryKind(attributes, regime), through?.memory ?? "write-back");
  let descriptor = output | attributes | leafType(level);
  const damage = random.below(24);
  const isInvalid = damage === 0 || (damage === 1 && level === 3);
  if (isInvalid) descriptor &= damage === 0 ? ~1n : ~2n;
  if (damage === 2 && zoo.outputBits < 48)
    descriptor |= 1n << BigInt(zoo.outputBits + random.below(48 - zoo.outputBits));
  if (isInvalid) pa = undefined;
  writeDescriptor(memory, root, address, level, descriptor);
  zoo.targets.push({ address: address + offset, sizeBytes, pa, memory: kind });
}

/** Pages of a level 3 table that a walk reaches through a table descriptor with attributes. */
const PAGES_PER_TABLE = 24;

function addTable(zoo: Zoo, address: bigint, attributes: bigint): void {
  const { root } = zoo;
  linkTable(zoo.memory, root, address, 2, attributes);
  const page = 1n << BigInt(root.granuleBits);
  for (let i = 0n; i < PAGES_PER_TABLE; i++) addLeaf(zoo, address + i * page, 3);
}

/** Hierarchical permissions: PXNTable, UXNTable or XNTable, APTable. */
function tableAttributes(random: Random, regime: Regime): bigint {
  if (regime === "stage 2" || random.oneIn(2)) return 0n;
  if (regime === "EL2") return bit(random, 60n) | bit(random, 62n, 4);
  return BigInt(random.below(16)) << 59n;
}

/**
 * The way to a level 3 table leads through stage 2 pages that permit it or not, so that the walk
 * of stage 1 meets stage 2 faults.
 */
function addHiddenTable(zoo: Zoo, address: bigint, hidden: HiddenTable): void {
  const { granuleBits } = zoo.root;
  const step = 1n << BigInt(levelShift(granuleBits, 2));
  for (const [i, ipa] of hidden.ipas.entries()) {
    const slot = address + BigInt(i) * step;
    writeDescriptor(zoo.memory, zoo.root, slot, 2, ipa | 3n);
    for (let page = 0; page < 4; page++) {
      const target = slot + BigInt(page << granuleBits);
      const pa = BigInt(LAYOUT.WINDOW);
      zoo.targets.push({ address: target, sizeBytes: 0x1000, pa, memory: "write-back" });
    }
  }
}

/** A level 3 table of stage 1, and the intermediate physical addresses under which it is known. */
export interface HiddenTable {
  readonly ipas: readonly bigint[];
}

/** Four good pages in a table of their own, and stage 2 pages of every kind that lead to it. */
export function addHiddenTablePages(
  memory: TableMemory,
  stage2: TableRoot,
  granuleBits: number,
  base: bigint,
): HiddenTable {
  const size = 1n << BigInt(Math.max(granuleBits, stage2.granuleBits));
  const table = allocateTable(memory, size);
  for (let i = 0n; i < 4n; i++) {
    const leaf = BigInt(LAYOUT.WINDOW) | plainStage1({ el0: true }) | 3n;
    memory.doublewords.set(table + 8n * i, leaf);
  }
  const kinds = [
    plainStage2,
    plainStage2 & ~(1n << 7n), // read-only
    plainStage2 & ~(1n << 6n), // write-only
    plainStage2 & ~(3n << 6n), // no access
    plainStage2 & ~AF,
    plainStage2 | (1n << 54n), // execute-never
    plainStage2 & ~(0xfn << 2n), // Device-nGnRnE
  ];
  const page = 1n << BigInt(stage2.granuleBits);
  const ipas = kinds.map((attributes, i) => {
    const ipa = base + BigInt(i) * size;
    for (let done = 0n; done < size; done += page)
      writeDescriptor(memory, stage2, ipa + done, 3, (table + done) | attributes | 3n);
    return ipa;
  });
  return { ipas: [...ipas, base + BigInt(kinds.length) * size] };
}

/** Accesses across the end reach the next target, where that one lies directly behind. */
function withNeighbour(target: Target, next: Target | undefined): Target {
  if (next?.address !== target.address + BigInt(target.sizeBytes)) return target;
  return { ...target, memory: lessCacheable(target.memory, next.memory) };
}

export interface ZooOptions {
  readonly memory: TableMemory;
  readonly root: TableRoot;
  readonly regime: Regime;
  readonly random: Random;
  readonly base: bigint;
  readonly outputBits: number;
  readonly behind?: readonly Target[];
  readonly hiddenTable?: HiddenTable;
}

/** Fills a range with level 3 tables, blocks and faults; says where to aim. */
export function addZoo(options: ZooOptions): readonly Target[] {
  const { root, regime, random, base } = options;
  const zoo: Zoo = { ...options, behind: options.behind ?? [], targets: [] };
  const step = 1n << BigInt(levelShift(root.granuleBits, 2));
  const tables = root.granuleBits === 16 ? 2 : 5;
  let at = base;
  for (let i = 0; i < tables; i++, at += step)
    addTable(zoo, at, i === 0 ? 0n : tableAttributes(random, regime));
  const blocks = root.granuleBits === 16 ? 2 : 10;
  for (let i = 0; i < blocks; i++, at += step) addLeaf(zoo, at, 2);
  if (options.hiddenTable !== undefined) {
    addHiddenTable(zoo, at, options.hiddenTable);
    at += step * BigInt(options.hiddenTable.ipas.length);
  }
  // Nothing at all: the level 2 entry is zero.
  const memory = "write-back";
  zoo.targets.push({ address: at, sizeBytes: LAYOUT.WINDOW_BYTES, pa: undefined, memory });
  return zoo.targets.map((target, i) => withNeighbour(target, zoo.targets[i + 1]));
}
