// The configurations that vectors run in: which stages of translation are on, and with which
// tables.

import type { CpuModel } from "../../cpu/cpu-model.ts";
import type { WatchedRegion } from "./batch-format.ts";
import { LAYOUT } from "./layout.ts";
import {
  addHiddenTablePages,
  addZoo,
  memoryTypes,
  plainStage1,
  plainStage2,
  TAGGED_INDEX,
  type Target,
} from "./page-zoo.ts";
import { namedRandom, type Random } from "./random.ts";
import {
  createRoot,
  createTableMemory,
  mapRange,
  startLevelOf,
  type TableMemory,
  type TableRoot,
} from "./translation-tables.ts";
import type { ElName, Settings } from "./vector.ts";

/** Where a configuration maps the slots. */
export interface CodeAlias {
  /** Virtual address of the first slot. */
  readonly base: bigint;
  readonly guarded: boolean;
}

export interface Configuration {
  readonly name: string;
  readonly els: readonly ElName[];
  readonly settings: Settings;
  readonly code: readonly CodeAlias[];
  /** Virtual addresses that data accesses and fetches are aimed at. */
  readonly targets: readonly Target[];
  /** Virtual address of the window as Tagged memory. */
  readonly tagged: bigint | undefined;
  /** Tables that the hardware may write, compared like the window. */
  readonly watched: WatchedRegion | undefined;
}

type GranuleBits = 12 | 14 | 16;

const EL01: readonly ElName[] = ["EL0t", "EL1h", "EL1t"];
const EL2: readonly ElName[] = ["EL2h", "EL2t"];

/** EL1&0: identity below 2 GiB, the slots again as guarded pages, the zoo above. */
const EL1_ZOO = 0x8000_0000n;
const GUARDED_CODE = 0x5800_0000n;
/** The window again, as memory with allocation tags. */
const TAGGED_WINDOW = 0x4a00_0000n;
const IPA_ZOO = 0xc000_0000n;
const IPA_TABLES = 0xb000_0000n;
/** EL2: identity for the harness, then the zoo, and the slots twice. */
const EL2_ZOO = 0x1_0000_0000n;
const EL2_CODE = 0x2_0000_0000n;
const EL2_GUARDED_CODE = 0x2_0800_0000n;

/** What is mapped around the window, so that accesses across its end succeed. */
const WINDOW_AREA = 0x20_0000;

const window: Target = {
  address: BigInt(LAYOUT.WINDOW),
  sizeBytes: LAYOUT.WINDOW_BYTES,
  pa: BigInt(LAYOUT.WINDOW),
  memory: "write-back",
};

const slots: CodeAlias = { base: BigInt(LAYOUT.SLOTS), guarded: false };

/** What a walk finds where nothing is mapped, where the range ends, and outside every range. */
function outside(...addresses: readonly bigint[]): Target[] {
  const memory = "write-back";
  return addresses.map((address) => ({ address, sizeBytes: 0x1000, pa: undefined, memory }));
}

const WRITE_BACK_WALKS = (1n << 8n) | (1n << 10n) | (3n << 12n);
const TG0 = { 12: 0n, 14: 2n, 16: 1n } as const;
const TG1 = { 12: 2n, 14: 1n, 16: 3n } as const;
const PHYSICAL_SIZES = [32, 36, 40, 42, 44, 48] as const;

function sizeField(bits: (typeof PHYSICAL_SIZES)[number]): bigint {
  return BigInt(PHYSICAL_SIZES.indexOf(bits));
}

/** Bits of TCR_EL1 from AS upwards that configurations vary. */
export const TCR_EL1 = {
  TBI0: 1n << 37n,
  TBI1: 1n << 38n,
  HA: 1n << 39n,
  HD: 1n << 40n,
  HPD0: 1n << 41n,
  HPD1: 1n << 42n,
  TBID0: 1n << 51n,
  TBID1: 1n << 52n,
} as const;

interface Stage1Shape {
  readonly granuleBits: GranuleBits;
  /** Bits of the lower and of the upper range. */
  readonly lowBits: number;
  readonly highBits: number;
  readonly outputBits: (typeof PHYSICAL_SIZES)[number];
  readonly mair: bigint;
  /** More bits of TCR_EL1 or TCR_EL2, and of SCTLR_ELx. */
  readonly tcr?: bigint;
  readonly sctlr?: bigint;
}

/** SCTLR_EL1 with M, C and I. */
const SCTLR_EL1_ON = 0x30d0_1805n;
/** SCTLR_EL2 with M, C, I, and ATA for the harness, which reads the window's tags. */
const SCTLR_EL2_ON = 0x0800_30c5_1835n;

function mapEl1(memory: TableMemory, root: TableRoot, prefix: bigint): void {
  const never = 3n << 53n;
  const data = never | plainStage1({ el0: true });
  const tagged = never | plainStage1({ el0: true, index: TAGGED_INDEX });
  const code = plainStage1({ el0: true, readOnly: true });
  const map = (from: number | bigint, to: number, size: number, attributes: bigint) =>
    mapRange(memory, root, prefix | BigInt(from), BigInt(to), BigInt(size), attributes);
  map(LAYOUT.WINDOW, LAYOUT.WINDOW, WINDOW_AREA, data);
  map(TAGGED_WINDOW, LAYOUT.WINDOW, WINDOW_AREA, tagged);
  map(LAYOUT.VBAR_EL1_BASE, LAYOUT.VBAR_EL1_BASE, 0x20_0000, code);
  map(LAYOUT.SLOTS, LAYOUT.SLOTS, LAYOUT.SLOTS_BYTES, code);
  map(GUARDED_CODE, LAYOUT.SLOTS, LAYOUT.SLOTS_BYTES, code | (1n << 50n));
}

/** The pages of stage 2 behind a stage 1, where there is a stage 2. */
interface Behind {
  readonly root: TableRoot;
  readonly targets: readonly Target[];
}

/** Stage 1 of EL1&0 with two ranges. */
function el1Stage1(
  name: string,
  memory: TableMemory,
  random: Random,
  shape: Stage1Shape,
  behind?: Behind,
): Configuration {
  const { granuleBits, lowBits, highBits } = shape;
  const prefix = -(1n << BigInt(highBits)) & 0xffff_ffff_ffff_ffffn;
  const roots = [
    { root: createRoot(memory, granuleBits, lowBits), prefix: 0n },
    { root: createRoot(memory, granuleBits, highBits), prefix },
  ];
  const hiddenTable = behind && addHiddenTablePages(memory, behind.root, granuleBits, IPA_TABLES);
  const start = memory.next;
  const targets = roots.flatMap(({ root, prefix }) => {
    mapEl1(memory, root, prefix);
    const zoo = addZoo({
      ...{ memory, root, random, regime: "EL1&0", outputBits: shape.outputBits },
      ...(hiddenTable === undefined ? {} : { hiddenTable }),
      base: EL1_ZOO,
      behind: behind?.targets ?? [],
    });
    const inRange = [...zoo, window, ...outside(0n, 0x7fff_f000n)];
    return inRange.map((target) => ({ ...target, address: prefix | target.address }));
  });
  const ends = [1n << BigInt(lowBits), prefix - 0x1000n, 1n << 63n, (1n << 48n) - 0x1000n];
  const tcr =
    BigInt(64 - lowBits) |
    (WRITE_BACK_WALKS * 0x10001n) |
    (BigInt(64 - highBits) << 16n) |
    (TG0[granuleBits] << 14n) |
    (TG1[granuleBits] << 30n) |
    (sizeField(shape.outputBits) << 32n);
  return {
    name,
    els: EL01,
    settings: new Map([
      ["SCTLR_EL1", SCTLR_EL1_ON | (shape.sctlr ?? 0n)],
      ["TCR_EL1", tcr | (shape.tcr ?? 0n)],
      ["TTBR0_EL1", roots[0]!.root.base],
      ["TTBR1_EL1", roots[1]!.root.base],
      ["MAIR_EL1", shape.mair],
    ]),
    code: roots.flatMap(({ prefix }) => [
      { base: prefix | slots.base, guarded: false },
      { base: prefix | GUARDED_CODE, guarded: true },
    ]),
    targets: [...targets, ...outside(...ends)],
    tagged: TAGGED_WINDOW,
    watched: watchedTables(shape, start, memory),
  };
}

/** Tables are compared where the hardware may set the access flag. */
function watchedTables(
  { tcr = 0n }: Stage1Shape,
  start: bigint,
  memory: TableMemory,
): WatchedRegion | undefined {
  if ((tcr & TCR_EL1.HA) === 0n) return undefined;
  return { base: start, sizeBytes: Number(memory.next - start) };
}

interface Stage2Shape {
  readonly granuleBits: GranuleBits;
  readonly inputBits: number;
  /** Where it is not the usual one: tables are concatenated. */
  readonly startLevel?: number;
  readonly outputBits: (typeof PHYSICAL_SIZES)[number];
}

const SL0 = { 12: [2n, 1n, 0n, 3n], 14: [3n, 2n, 1n, 0n], 16: [undefined, 2n, 1n, 0n] } as const;

/** Stage 2: identity for code, tables and window, and a zoo. */
function stage2(
  memory: TableMemory,
  random: Random,
  shape: Stage2Shape,
): Behind & { readonly settings: Settings } {
  const { granuleBits, inputBits } = shape;
  const startLevel = shape.startLevel ?? startLevelOf(granuleBits, inputBits);
  const root = createRoot(memory, granuleBits, inputBits, startLevel);
  const identity = (from: number, size: number) =>
    mapRange(memory, root, BigInt(from), BigInt(from), BigInt(size), plainStage2);
  identity(LAYOUT.VBAR_EL1_BASE, 0x20_0000);
  identity(LAYOUT.WINDOW, WINDOW_AREA);
  identity(LAYOUT.SLOTS, LAYOUT.SLOTS_BYTES);
  identity(LAYOUT.TABLES, LAYOUT.TABLES_BYTES);
  const { outputBits } = shape;
  const regime = "stage 2";
  const targets = addZoo({ memory, root, random, regime, outputBits, base: IPA_ZOO });
  const sl0 = SL0[granuleBits][startLevel];
  if (sl0 === undefined) throw new Error(`stage 2 cannot start at level ${startLevel}`);
  const vtcr =
    (1n << 31n) |
    BigInt(64 - inputBits) |
    (sl0 << 6n) |
    WRITE_BACK_WALKS |
    (TG0[granuleBits] << 14n) |
    (sizeField(outputBits) << 16n);
  const settings = new Map([
    ["VTCR_EL2", vtcr],
    ["VTTBR_EL2", root.base | (7n << 48n)],
    ["HCR_EL2", 0x0100_0300_8000_0001n],
  ]);
  return { root, targets, settings };
}

/** Stage 1 and stage 2 together, or stage 2 alone. */
function nested(
  name: string,
  memory: TableMemory,
  random: Random,
  first: Stage1Shape | undefined,
  second: Stage2Shape,
): Configuration {
  const behind = stage2(memory, random, second);
  if (first === undefined) {
    const ends = outside(0n, 1n << BigInt(second.inputBits));
    // Without stage 1 all data is Device memory.
    const memory = "device";
    const targets = [...behind.targets, window, ...ends].map(
      (one) => ({ ...one, memory }) as const,
    );
    const { settings } = behind;
    const nothing = { tagged: undefined, watched: undefined };
    return { name, els: EL01, settings, code: [slots], targets, ...nothing };
  }
  const configuration = el1Stage1(name, memory, random, first, behind);
  return { ...configuration, settings: new Map([...configuration.settings, ...behind.settings]) };
}

/** Stage 1 of EL2. */
function el2Stage1(
  name: string,
  memory: TableMemory,
  random: Random,
  shape: Stage1Shape,
): Configuration {
  const { granuleBits, lowBits } = shape;
  const root = createRoot(memory, granuleBits, lowBits);
  const map = (from: bigint, to: number, size: number, attributes: bigint) =>
    mapRange(memory, root, from, BigInt(to), BigInt(size), attributes);
  mapHarness(memory, root);
  const code = plainStage1({ el0: true, readOnly: true });
  map(EL2_CODE, LAYOUT.SLOTS, LAYOUT.SLOTS_BYTES, code);
  map(EL2_GUARDED_CODE, LAYOUT.SLOTS, LAYOUT.SLOTS_BYTES, code | (1n << 50n));
  const { outputBits } = shape;
  const zoo = addZoo({ memory, root, random, regime: "EL2", outputBits, base: EL2_ZOO });
  const tcr =
    (1n << 31n) |
    (1n << 23n) |
    BigInt(64 - lowBits) |
    WRITE_BACK_WALKS |
    (TG0[granuleBits] << 14n) |
    (sizeField(outputBits) << 16n) |
    (shape.tcr ?? 0n);
  return {
    name,
    els: EL2,
    settings: new Map([
      ["SCTLR_EL2", SCTLR_EL2_ON | (shape.sctlr ?? 0n)],
      ["TCR_EL2", tcr],
      ["TTBR0_EL2", root.base],
      ["MAIR_EL2", shape.mair],
    ]),
    code: [
      { base: EL2_CODE, guarded: false },
      { base: EL2_GUARDED_CODE, guarded: true },
    ],
    targets: [...zoo, window, ...outside(0n, 1n << BigInt(lowBits), 1n << 63n, 3n << 32n)],
    tagged: window.address,
    watched: undefined,
  };
}

const TEXT_END = 0x4040_0000;

/** The harness's text can be executed and not written, everything else the other way round. */
function mapHarness(memory: TableMemory, root: TableRoot): void {
  const text = plainStage1({ el0: true, readOnly: true });
  const never = 1n << 54n;
  const data = never | plainStage1({ el0: true });
  const identity = (from: number, to: number, attributes: bigint) =>
    mapRange(memory, root, BigInt(from), BigInt(from), BigInt(to - from), attributes);
  identity(LAYOUT.RAM_BASE, TEXT_END, text);
  const window = LAYOUT.WINDOW + WINDOW_AREA;
  identity(TEXT_END, LAYOUT.WINDOW, data);
  // The harness reads the window's tags here.
  identity(LAYOUT.WINDOW, window, never | plainStage1({ el0: true, index: TAGGED_INDEX }));
  identity(window, LAYOUT.RAM_BASE + LAYOUT.RAM_BYTES, data);
}

/** Everything that the vectors of one recording run in. */
export interface Machine {
  readonly memory: TableMemory;
  /** What is on in every configuration unless it says otherwise: EL2 translates flat. */
  readonly base: Settings;
  readonly configurations: readonly Configuration[];
}

const TBI = TCR_EL1.TBI0 | TCR_EL1.TBI1;

/** The tables are as random as the seed; their shapes are always these. */
export function createMachine(seed: number, { features, paBits }: CpuModel): Machine {
  const mair = memoryTypes(features);
  const memory = createTableMemory();
  const on = (name: string) => namedRandom(seed, name);
  const flat = el2Stage1("flat", memory, on("flat"), {
    ...{ granuleBits: 12, lowBits: 36, highBits: 0, outputBits: 40, mair },
  });
  const stage1 = (name: string, shape: Stage1Shape) => el1Stage1(name, memory, on(name), shape);
  const both = (name: string, first: Stage1Shape | undefined, second: Stage2Shape) =>
    nested(name, memory, on(name), first, second);
  const el2 = (name: string, shape: Stage1Shape) => el2Stage1(name, memory, on(name), shape);
  const plain: Stage1Shape = { granuleBits: 12, lowBits: 48, highBits: 48, outputBits: 48, mair };
  const k16: Stage1Shape = { granuleBits: 14, lowBits: 47, highBits: 36, outputBits: 40, mair };
  const k64: Stage1Shape = { granuleBits: 16, lowBits: 42, highBits: 48, outputBits: 44, mair };
  const s2: Stage2Shape = { granuleBits: 12, inputBits: 40, startLevel: 1, outputBits: 40 };
  const data: readonly Target[] = [
    window,
    ...outside(1n << 53n, 1n << 55n, (1n << 63n) | (1n << 53n)),
  ];
  return {
    memory,
    base: flat.settings,
    configurations: [
      {
        ...{ name: "off", els: EL01, settings: new Map(), code: [slots] },
        ...{ targets: data, tagged: undefined, watched: undefined },
      },
      {
        ...{ name: "el2-off", els: EL2, settings: new Map([["SCTLR_EL2", 0x30c5_0830n]]) },
        ...{ code: [slots], targets: data, tagged: undefined, watched: undefined },
      },
      { ...flat, settings: new Map() },
      stage1("stage1-4k", plain),
      stage1("stage1-4k-39", { ...plain, lowBits: 39, highBits: 39, tcr: TBI, outputBits: 40 }),
      stage1("stage1-4k-wxn", { ...plain, lowBits: 33, sctlr: 1n << 19n, tcr: TCR_EL1.HPD0 }),
      stage1("stage1-4k-flags", { ...plain, tcr: TCR_EL1.HA | TCR_EL1.HD | TCR_EL1.TBI0 }),
      stage1("stage1-16k", k16),
      stage1("stage1-64k", { ...k64, tcr: TBI | TCR_EL1.TBID0 }),
      both("stage2-4k", undefined, s2),
      both("nested-4k", { ...plain, lowBits: 39, outputBits: 40 }, s2),
      both("nested-16k", k16, { ...s2, granuleBits: 14, startLevel: 2, inputBits: 39 }),
      both("nested-64k", k64, {
        ...s2,
        granuleBits: 16,
        startLevel: 2,
        inputBits: Math.min(42, paBits),
      }),
      el2("el2-4k", { ...plain, tcr: 1n << 20n }),
      el2("el2-4k-wxn", { ...plain, lowBits: 39, sctlr: 1n << 19n, outputBits: 42 }),
      el2("el2-16k", { ...k16, lowBits: 42 }),
      el2("el2-64k", k64),
    ],
  };
}
