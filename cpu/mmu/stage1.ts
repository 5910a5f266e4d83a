// Stage 1: from a virtual address to an output address, which stage 2 may translate again.

import type { Core } from "../state.ts";
import { field } from "../sysregs/fields.ts";
import {
  type Descriptor,
  descriptorAddress,
  descriptorBit,
  descriptorField,
  descriptorKind,
  entryAddress,
  exceeds,
  readDescriptor,
  updateDescriptor,
} from "./descriptor.ts";
import { type FaultRecord, stage1Fault } from "./fault-record.ts";
import { type MemoryAttributes, stage1Attributes } from "./memory-attributes.ts";
import type { Stage1Controls, Stage2Controls } from "./regime.ts";
import type { Request } from "./request.ts";
import { translateWalk } from "./stage2.ts";
import { type Context, cachedTable, rememberTable } from "./tlb.ts";
import { levelShift, type Stage1Range } from "./walk-parameters.ts";

/** What a block or page descriptor of stage 1 says, with the limits of the tables above it. */
export interface Stage1Leaf {
  /** Output address of the block or page, and log2 of its size. */
  readonly output: number;
  readonly sizeBits: number;
  readonly level: number;
  readonly attributes: MemoryAttributes;
  /** AP[2]: read-only; a clean page that hardware may make dirty counts as writable. */
  readonly readOnly: boolean;
  /** AP[1]: EL0 has access. */
  readonly unprivileged: boolean;
  readonly uxn: boolean;
  readonly pxn: boolean;
  /** nG is 0, or the regime has no ASID. */
  readonly global: boolean;
  /** GP: branches into the page need a landing pad. */
  readonly guarded: boolean;
  /** What hardware still has to set in the descriptor. */
  readonly update: Stage1Update | undefined;
}

interface Stage1Update {
  /** Address of the descriptor, before stage 2. */
  readonly at: number;
  readonly bigEndian: boolean;
  /** The access flag is to be set. */
  readonly accessed: boolean;
  /** Writable by DBM, but clean: the first write clears AP[2]. */
  readonly clean: boolean;
}

/** The tables that a walk goes through: which regime, which range, and what is behind them. */
export interface Stage1Walk {
  readonly stage1: Stage1Controls;
  readonly range: Stage1Range;
  readonly stage2: Stage2Controls | undefined;
  readonly context: Context;
  /** The address modulo 2^48, and the same with a mark on the upper range, for the TLB. */
  readonly input: number;
  readonly tlbInput: number;
}

/** APTable and XNTable bits, as they accumulate on the way down: descriptor bits 62 to 59. */
const NO_EL0 = 0b0100;
const READ_ONLY = 0b1000;
const UXN_TABLE = 0b0010;
const PXN_TABLE = 0b0001;

/** The leaf that translates an address. Source: DDI0487 D8.2.2; AArch64.S1Walk. */
export function walkStage1(core: Core, walk: Stage1Walk): Stage1Leaf | FaultRecord {
  const { range, context } = walk;
  const { granuleBits } = range;
  const input = walk.input % 2 ** range.inputBits;
  if (exceeds(range.base, range.outputBits)) return stage1Fault("addressSize", 0);
  const start = cachedTable(core.tlb, 1, context, walk.tlbInput);
  let table = start?.table ?? range.base;
  let hierarchical = start?.hierarchical ?? 0;
  for (let level = start?.level ?? range.startLevel; ; level++) {
    const at = entryAddress(table, input, granuleBits, level, level === range.startLevel);
    const pa = walk.stage2 === undefined ? at : translateWalk(core, walk.stage2, at, false);
    if (typeof pa !== "number") return pa;
    const descriptor = readDescriptor(core.memory, pa, range.bigEndian);
    if (descriptor === undefined) return stage1Fault("externalAbortOnWalk", level);
    const kind = descriptorKind(descriptor, level, granuleBits);
    if (kind === "invalid") return stage1Fault("translation", level);
    const sizeBits = levelShift(granuleBits, level);
    const output = descriptorAddress(descriptor, kind === "leaf" ? sizeBits : granuleBits);
    if (exceeds(output, range.outputBits)) return stage1Fault("addressSize", level);
    if (kind === "leaf") {
      const accessed = descriptorBit(descriptor, 10) === 1;
      if (!accessed && !range.ha) return stage1Fault("accessFlag", level);
      return leafOf(core, walk, descriptor, { at, output, level, hierarchical });
    }
    if (!range.hpd) hierarchical |= descriptorField(descriptor, 62, 59);
    table = output;
    rememberTable(core.tlb, {
      ...context,
      stage: 1,
      input: walk.tlbInput,
      sizeBits,
      table,
      level: level + 1,
      hierarchical,
    });
  }
}

interface Place {
  readonly at: number;
  readonly output: number;
  readonly level: number;
  readonly hierarchical: number;
}

/** What a block or page descriptor says. Source: DDI0487 D8.3.1, Stage 1 Block and Page. */
function leafOf(
  core: Core,
  walk: Stage1Walk,
  descriptor: Descriptor,
  { at, output, level, hierarchical }: Place,
): Stage1Leaf {
  const { range, stage1 } = walk;
  const { features } = core.cpuModel;
  const twoRanges = stage1.upper !== undefined;
  const mairByte = 8 * descriptorField(descriptor, 4, 2);
  const mairField = field(stage1.mair, mairByte + 7, mairByte);
  const accessed = descriptorBit(descriptor, 10) === 1;
  const ap2 = descriptorBit(descriptor, 7) === 1;
  const clean = ap2 && range.hd && descriptorBit(descriptor, 51) === 1;
  return {
    output,
    sizeBits: levelShift(range.granuleBits, level),
    level,
    attributes: stage1Attributes(mairField, descriptorField(descriptor, 9, 8), features.MTE2),
    readOnly: (ap2 && !clean) || (hierarchical & READ_ONLY) !== 0,
    unprivileged: twoRanges && descriptorBit(descriptor, 6) === 1 && (hierarchical & NO_EL0) === 0,
    uxn: descriptorBit(descriptor, 54) === 1 || (hierarchical & UXN_TABLE) !== 0,
    pxn: descriptorBit(descriptor, 53) === 1 || (hierarchical & PXN_TABLE) !== 0,
    global: !twoRanges || descriptorBit(descriptor, 11) === 0,
    guarded: features.BTI && descriptorBit(descriptor, 50) === 1,
    update:
      accessed && !clean
        ? undefined
        : { at, bigEndian: range.bigEndian, accessed: !accessed, clean },
  };
}

/**
 * Whether stage 1 allows the access; undefined when it does.
 * Source: DDI0487 D8.4.1 Stage 1 permissions; AArch64.S1CheckPermission.
 */
export function checkStage1Permission(
  stage1: Stage1Controls,
  leaf: Stage1Leaf,
  request: Request,
): FaultRecord | undefined {
  const allowed =
    stage1.upper === undefined
      ? singleRangeAllows(stage1, leaf, request)
      : twoRangesAllow(stage1, leaf, request);
  return allowed ? undefined : stage1Fault("permission", leaf.level);
}

/** EL2 alone: AP[2] and XN, and WXN. */
function singleRangeAllows(stage1: Stage1Controls, leaf: Stage1Leaf, request: Request): boolean {
  if (request.kind === "fetch") {
    return !(leaf.uxn || (!leaf.readOnly && stage1.writeExecuteNever));
  }
  return maintains(request) || !request.write || !leaf.readOnly;
}

/** EL1&0 and EL2&0: AP, UXN, PXN, WXN and PAN. Writable by EL0 is never executable above it. */
function twoRangesAllow(stage1: Stage1Controls, leaf: Stage1Leaf, request: Request): boolean {
  const { el, kind, write } = request;
  const wxn = stage1.writeExecuteNever;
  const userWritable = leaf.unprivileged && !leaf.readOnly;
  if (kind === "fetch") {
    if (el === 0) return !(leaf.uxn || (userWritable && wxn));
    return !(leaf.pxn || userWritable || (!leaf.readOnly && wxn));
  }
  if (maintains(request)) return true;
  if (el === 0 ? !leaf.unprivileged : request.pan && leaf.unprivileged) return false;
  return !write || !leaf.readOnly;
}

/** Maintenance above EL0 needs no permission, except the one that may lose data. */
function maintains(request: Request): boolean {
  return request.kind === "cache" && request.el !== 0 && !request.write;
}

/** What hardware writes back once an access has been allowed; the write itself may fault. */
export function updateStage1(
  core: Core,
  stage2: Stage2Controls | undefined,
  leaf: Stage1Leaf,
  write: boolean,
): FaultRecord | undefined {
  const { update } = leaf;
  if (update === undefined || !(update.accessed || (update.clean && write))) return undefined;
  const pa = stage2 === undefined ? update.at : translateWalk(core, stage2, update.at, true);
  if (typeof pa !== "number") return pa;
  updateDescriptor(core.memory, pa, update.bigEndian, ({ low, high }) => ({
    low: ((low | (1 << 10)) & (update.clean && write ? ~(1 << 7) : -1)) >>> 0,
    high,
  }));
  return undefined;
}

/**
 * Why an address is not translated at all; undefined when a walk starts.
 * Source: DDI0487 D8.2.4 and D8.2.5; VAIsOutOfRange, EPDn and E0PDn.
 */
export function checkRange(range: Stage1Range, request: Request): FaultRecord | undefined {
  const tbi = request.kind === "fetch" ? range.tbiInstruction : range.tbiData;
  const inRange = range.valid && isExtended(request.va, tbi ? 56 : 64, range);
  if (inRange && !range.disabled && !(range.e0pd && request.el === 0)) return undefined;
  return stage1Fault("translation", 0);
}

/** Whether the bits from `inputBits` up to `topBits` are those of the range: all 0, or all 1. */
function isExtended(va: bigint, topBits: number, { inputBits, top }: Stage1Range): boolean {
  const above = BigInt.asUintN(topBits - inputBits, va >> BigInt(inputBits));
  return above === (top ? BigInt.asUintN(topBits - inputBits, -1n) : 0n);
}
