// The machine that programs run on: where everything is, which registers hold what, its tables.

import { createMemory, type Memory, writeBytes } from "../../../cpu/memory.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";
import { LAYOUT } from "../layout.ts";
import { ORACLES } from "../oracles.ts";
import { seededRandom } from "../random.ts";
import {
  createRoot,
  createTableMemory,
  mapRange,
  type TableMemory,
  type TableRoot,
  tableImage,
} from "../translation-tables.ts";

const PAGE = 0x1000;

/** Addresses and sizes that both the harness and the generator know; VA is PA but for the data. */
export const PLACES = {
  BATCH_INPUT: LAYOUT.BATCH_INPUT,
  BATCH_OUTPUT: LAYOUT.BATCH_OUTPUT,
  STACK_TOP: 0x4062_8000,
  /** Where a program goes when it is over: the first page of the harness. */
  CATCH: 0x4010_0000,
  CODE: 0x4800_0000,
  CODE_BYTES: PAGE,
  /** The vectors of EL1, and those of EL2 a page later. */
  HANDLERS: 0x4801_0000,
  HANDLERS_BYTES: 2 * PAGE,
  LOG: 0x4803_0000,
  LOG_BYTES: PAGE,
  DATA_PA: 0x4904_0000,
  DATA_BYTES: 5 * PAGE,
  /** What the data pages hold before every program. */
  PATTERN: 0x4a00_0000,
  /** SPSR_EL2, three stack pointers and X0 to X30. */
  ENTRY_DOUBLEWORDS: 35,
  /** X0 to X30 and three stack pointers. */
  CAPTURE_DOUBLEWORDS: 34,
  /** The immediate of the HVC or SVC that ends a program. */
  END: 0x7e0,
  /** A program with more exceptions than this is ended. */
  EXCEPTION_MAX: 1000,
  /** SCTLR_EL2 outside a program: all RES1 bits. */
  UNTRANSLATED: 0x30c5_0830,
  /** SCTLR_EL2 in a program: M, C, I and the four keys for pointers as well. */
  TRANSLATED: 0xf8c5_3835,
} as const;

export const PROGRAM_ORACLE = {
  ...ORACLES.n2,
  cpuModel: {
    ...ORACLES.n2.cpuModel,
    // DC ZVA clears 64 bytes on a Neoverse N2.
    idRegisters: { ...ORACLES.n2.cpuModel.idRegisters, DCZID_EL0: 4n },
  },
};

/** A page of data: where a program sees it, what is behind it, and what can be done with it. */
export interface DataPage {
  readonly va: number;
  readonly kind: "normal" | "read-only" | "privileged" | "device" | "stage 2";
}

/** The first address of the data as programs see it; the page before it is not mapped. */
const DATA_VA = 0x4900_1000;

/** Neighbours in the order of `va`; the first two are not neighbours in physical memory. */
export const DATA_PAGES: readonly DataPage[] = [
  { va: DATA_VA, kind: "normal" },
  { va: DATA_VA + PAGE, kind: "normal" },
  { va: DATA_VA + 2 * PAGE, kind: "read-only" },
  { va: DATA_VA + 4 * PAGE, kind: "privileged" },
  { va: DATA_VA + 5 * PAGE, kind: "device" },
  { va: DATA_VA + 7 * PAGE, kind: "stage 2" },
];

/** The physical pages of `DATA_PAGES`; the last one is not mapped by stage 2. */
const DATA_FRAMES = [1, 0, 2, 3, 4, 16].map((page) => PLACES.DATA_PA + PAGE * page);

/** What is added to a data address for the upper range of EL1: bits 63 to 39. */
export const UPPER_RANGE = 0xffff_ff80_0000_0000n;

/** X22: the boundary between the first two pages. */
export const DATA_MIDDLE = BigInt(DATA_VA + PAGE);

const bit = (position: number): bigint => 1n << BigInt(position);
const bits = (...positions: number[]): bigint => positions.reduce((all, p) => all | bit(p), 0n);

/** Descriptor fields. Source: DDI0487 D8.3 Translation table descriptor formats. */
const NORMAL = bits(2, 8, 9, 10);
const DEVICE = bits(8, 9, 10);
const READ_ONLY = bit(7);
const EL0 = bit(6);
const EL2_RES1 = bit(6);
const NEVER = bits(53, 54);
const EL2_NEVER = bit(54);
const STAGE2 = bits(2, 3, 4, 5, 6, 7, 8, 9, 10);

const DATA_ATTRIBUTES = {
  normal: NORMAL | EL0 | NEVER,
  "read-only": NORMAL | EL0 | READ_ONLY | NEVER,
  privileged: NORMAL | NEVER,
  device: DEVICE | EL0 | NEVER,
  "stage 2": NORMAL | EL0 | NEVER,
} as const;

const mapPages = (
  memory: TableMemory,
  root: TableRoot,
  va: bigint,
  pa: number,
  sizeBytes: number,
  attributes: bigint,
) => mapRange(memory, root, va, BigInt(pa), BigInt(sizeBytes), attributes);

function mapData(memory: TableMemory, root: TableRoot, upper: boolean, el2: boolean): void {
  DATA_PAGES.forEach(({ va, kind }, i) => {
    // EL2 has no second stage; the page behind this one is not put back between programs.
    if (el2 && kind === "stage 2") return;
    const attributes = DATA_ATTRIBUTES[kind];
    const own = el2 ? (attributes & ~NEVER) | EL2_RES1 | EL2_NEVER : attributes;
    const from = upper ? BigInt(va) + UPPER_RANGE : BigInt(va);
    mapPages(memory, root, from, DATA_FRAMES[i]!, PAGE, own);
  });
}

const { CATCH, CODE, CODE_BYTES, HANDLERS, LOG, LOG_BYTES } = PLACES;

function buildTables() {
  const memory = createTableMemory();
  const lower = createRoot(memory, 12, 39);
  const upper = createRoot(memory, 12, 39);
  const el2 = createRoot(memory, 12, 39);
  const stage2 = createRoot(memory, 12, 39);
  const identity = (root: TableRoot, at: number, sizeBytes: number, attributes: bigint) =>
    mapPages(memory, root, BigInt(at), at, sizeBytes, attributes);
  // EL0 must not write what EL1 executes.
  identity(lower, CODE, CODE_BYTES, NORMAL | READ_ONLY | EL0);
  identity(lower, HANDLERS, PAGE, NORMAL | READ_ONLY);
  identity(lower, LOG, LOG_BYTES, NORMAL | NEVER);
  identity(el2, CODE, CODE_BYTES, NORMAL | READ_ONLY | EL2_RES1);
  identity(el2, HANDLERS + PAGE, PAGE, NORMAL | READ_ONLY | EL2_RES1);
  identity(el2, CATCH, PAGE, NORMAL | READ_ONLY | EL2_RES1);
  identity(el2, LOG, LOG_BYTES, NORMAL | EL2_RES1 | EL2_NEVER);
  mapData(memory, lower, false, false);
  mapData(memory, upper, true, false);
  mapData(memory, el2, false, true);
  for (const [at, sizeBytes] of [
    [CODE, CODE_BYTES],
    [HANDLERS, PAGE],
    [LOG, LOG_BYTES],
    [PLACES.DATA_PA, PLACES.DATA_BYTES],
    [LAYOUT.TABLES, LAYOUT.TABLES_BYTES],
  ] as const)
    identity(stage2, at, sizeBytes, STAGE2);
  return { lower, upper, el2, stage2, image: tableImage(memory) };
}

const tables = buildTables();

/** The translation tables of all programs. */
export const TABLES_IMAGE = tables.image;

const KEYS = ["APIA", "APIB", "APDA", "APDB", "APGA"] as const;

function keySettings(): [SysregName, bigint][] {
  const random = seededRandom(5);
  return KEYS.flatMap((key): [SysregName, bigint][] => [
    [`${key}KeyLo_EL1`, random.bits64()],
    [`${key}KeyHi_EL1`, random.bits64()],
  ]);
}

/** Outer and inner write-back cacheable, inner shareable, in TCR_ELx from bit 8 on. */
const CACHEABLE = 0x3500n;

/**
 * System registers before every program, in the order in which they are set.
 * Source: DDI0487 D24.2, the register of each name.
 */
export const SETTINGS: readonly (readonly [SysregName, bigint])[] = [
  // RW, APK, API, ATA; TSC, because EL3 is outside; VM.
  ["HCR_EL2", bits(31, 40, 41, 56, 19, 0)],
  ["VTCR_EL2", bit(31) | (5n << 16n) | CACHEABLE | bit(6) | 25n],
  ["VTTBR_EL2", tables.stage2.base],
  ["CPACR_EL1", 0n],
  // RES1, and TFP: floating-point is not modelled.
  ["CPTR_EL2", 0x37ffn],
  ["MAIR_EL1", 0xff04n],
  ["MAIR_EL2", 0xff04n],
  // 39 bits in both ranges, 4 KiB, 48 bits of PA; TBI0 and TBI1. Where these two differ, QEMU's
  // AddPAC extends an address with the wrong bit.
  [
    "TCR_EL1",
    bits(37, 38) | 25n | (25n << 16n) | (2n << 30n) | (5n << 32n) | CACHEABLE | (CACHEABLE << 16n),
  ],
  ["TCR_EL2", bits(31, 23) | (5n << 16n) | CACHEABLE | 25n],
  ["TTBR0_EL1", tables.lower.base],
  ["TTBR1_EL1", tables.upper.base],
  ["TTBR0_EL2", tables.el2.base],
  ["VBAR_EL1", BigInt(HANDLERS)],
  ["VBAR_EL2", BigInt(HANDLERS + PAGE)],
  // M, C, SED, UMA, EOS, I, DZE, UCT, nTWI, nTWE, TSCXT, EIS, SPAN, UCI, bits 28 and 29, keys.
  ["SCTLR_EL1", bits(0, 2, 8, 9, 11, 12, 14, 15, 16, 18, 20, 22, 23, 26, 28, 29, 13, 27, 30, 31)],
  ...keySettings(),
  ["TPIDR_EL0", 0x0123_4567_89ab_cdefn],
  ["TPIDRRO_EL0", 0x1122_3344_5566_7788n],
  ["TPIDR_EL1", 0x99aa_bbcc_ddee_ff00n],
  ["CONTEXTIDR_EL1", 0x1234_5678n],
  ["PAR_EL1", 0n],
  ...(["ESR", "ELR", "SPSR", "FAR"] as const).flatMap((name): [SysregName, bigint][] => [
    [`${name}_EL1`, 0n],
    [`${name}_EL2`, 0n],
  ]),
  ["HPFAR_EL2", 0n],
];

/** System registers that are compared after every program. */
export const DUMPED: readonly SysregName[] = [
  ...["TPIDR_EL0", "TPIDRRO_EL0", "TPIDR_EL1", "CONTEXTIDR_EL1", "PAR_EL1"],
  ...["ESR_EL1", "ELR_EL1", "SPSR_EL1", "FAR_EL1"],
  ...["ESR_EL2", "ELR_EL2", "SPSR_EL2", "FAR_EL2", "HPFAR_EL2"],
] as SysregName[];

/** The data pages before every program: no doubleword is there twice. */
export function dataPattern(): Uint8Array {
  const values = new BigUint64Array(PLACES.DATA_BYTES / 8);
  for (let i = 0; i < values.length; i++) values[i] = BigInt(i + 1) * 0x9e37_79b9_7f4a_7c15n;
  return new Uint8Array(values.buffer);
}

/** Memory as every program finds it, its own code excepted. */
export function createProgramMemory(handlers: Uint8Array): Memory {
  const base = BigInt(LAYOUT.RAM_BASE);
  const memory = createMemory([{ base, sizeBytes: BigInt(LAYOUT.RAM_BYTES) }]);
  writeBytes(memory, TABLES_IMAGE.address, TABLES_IMAGE.bytes);
  writeBytes(memory, BigInt(HANDLERS), handlers);
  writeBytes(memory, BigInt(PLACES.DATA_PA), dataPattern());
  return memory;
}
