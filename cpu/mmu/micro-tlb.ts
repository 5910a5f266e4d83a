// The fast path of accesses: recently used pages that need no check but a comparison.
//
// NON-SPEC: not an architectural TLB. An entry holds only while a walk would give the same answer:
// until a control register, a page that holds tables, or the TLB changes.

import { PAGE_BYTES } from "../memory.ts";
import type { Core } from "../state.ts";

const SLOTS = 128;

/** What a page may be used for; added to the slot of the page, it is where that is kept. */
export const READ = 0;
export const WRITE = SLOTS;
export const FETCH = 2 * SLOTS;
export type Use = typeof READ | typeof WRITE | typeof FETCH;

/** An unaligned access is allowed. */
export const UNALIGNED = 1;
/** The page is guarded: FEAT_BTI. */
export const GUARDED = 2;

/** Pages of one context: one Exception level with one value of PSTATE.PAN. */
export interface MicroTlbContext {
  /** Virtual page numbers, tag byte included; -1 is empty. */
  readonly vpns: Float64Array;
  /** Their physical frames. */
  readonly frames: Float64Array;
  readonly flags: Uint8Array;
  controlGeneration: number;
  tableGeneration: number;
}

export interface MicroTlb {
  /** By context number, made when first used. */
  readonly contexts: (MicroTlbContext | undefined)[];
}

export function createMicroTlb(): MicroTlb {
  return { contexts: [] };
}

/** An address in two numbers. */
interface SplitAddress {
  /** Virtual page number: 52 bits. */
  vpn: number;
  /** Offset in the page. */
  offset: number;
}

/** One object for all calls, so that the fast path allocates nothing; use it at once. */
const wide = new BigUint64Array(1);
const halves = new Uint32Array(wide.buffer);
const split: SplitAddress = { vpn: 0, offset: 0 };

/** The page number and offset of an address, valid until the next call. */
export function splitAddress(va: bigint): Readonly<SplitAddress> {
  wide[0] = va;
  const low = halves[0]!;
  split.vpn = halves[1]! * 2 ** 20 + (low >>> 12);
  split.offset = low & (PAGE_BYTES - 1);
  return split;
}

/** Where a page is kept for a use. */
export function slotOf(vpn: number, use: Use): number {
  return use + (vpn & (SLOTS - 1));
}

/** The context of the current Exception level and PAN, emptied if it may be out of date. */
export function liveContext(core: Core): MicroTlbContext {
  const { pstate, tlb } = core;
  const number = pstate.EL + 3 * pstate.PAN;
  const context = tlb.micro.contexts[number];
  const controls = core.sysreg.generation;
  const tables = core.memory.tableGeneration;
  if (
    context !== undefined &&
    context.controlGeneration === controls &&
    context.tableGeneration === tables
  ) {
    return context;
  }
  return refresh(tlb.micro, number, controls, tables);
}

function refresh(
  micro: MicroTlb,
  number: number,
  controlGeneration: number,
  tableGeneration: number,
): MicroTlbContext {
  const context = micro.contexts[number] ?? newContext();
  micro.contexts[number] = context;
  context.vpns.fill(-1);
  context.controlGeneration = controlGeneration;
  context.tableGeneration = tableGeneration;
  return context;
}

function newContext(): MicroTlbContext {
  return {
    vpns: new Float64Array(3 * SLOTS),
    frames: new Float64Array(3 * SLOTS),
    flags: new Uint8Array(3 * SLOTS),
    controlGeneration: -1,
    tableGeneration: -1,
  };
}

/** Forgets everything: the TLB has changed. */
export function flushMicroTlb(micro: MicroTlb): void {
  for (const context of micro.contexts) {
    if (context !== undefined) context.controlGeneration = -1;
  }
}

/** Remembers that a page may be used so at the current level. */
export function remember(core: Core, use: Use, va: bigint, pa: number, flags: number): void {
  const context = liveContext(core);
  const { vpn } = splitAddress(va);
  const slot = slotOf(vpn, use);
  context.vpns[slot] = vpn;
  context.frames[slot] = Math.floor(pa / PAGE_BYTES);
  context.flags[slot] = flags;
}
