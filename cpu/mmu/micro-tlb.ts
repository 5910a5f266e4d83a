// The fast path of accesses: recently used pages that need no check but a comparison.
//
// NON-SPEC: not an architectural TLB. An entry holds only while a walk would give the same answer:
// until a control register, a page that holds tables, or the TLB changes.

import { PAGE_BYTES } from "../memory.ts";
import type { Core } from "../state.ts";

const SLOTS = 128;

/** Pages of one context: one Exception level with one value of PSTATE.PAN. */
export interface MicroTlbContext {
  /** Virtual page numbers, tag byte included, that may be read, written, fetched from. */
  readonly read: Float64Array;
  readonly write: Float64Array;
  readonly fetch: Float64Array;
  /** Physical frame of each slot. */
  readonly readFrame: Float64Array;
  readonly writeFrame: Float64Array;
  readonly fetchFrame: Float64Array;
  /** 1 where an unaligned access is allowed. */
  readonly readUnaligned: Uint8Array;
  readonly writeUnaligned: Uint8Array;
  /** 1 where the page is guarded: BTI. */
  readonly guarded: Uint8Array;
  controlGeneration: number;
  tableGeneration: number;
}

export interface MicroTlb {
  /** By context number, made when first used. */
  readonly contexts: (MicroTlbContext | undefined)[];
}

const CONTEXTS = 6;

export function createMicroTlb(): MicroTlb {
  return { contexts: new Array<MicroTlbContext | undefined>(CONTEXTS).fill(undefined) };
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

/** The slot of a virtual page number. */
export function slotOf(vpn: number): number {
  return vpn & (SLOTS - 1);
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
  context.read.fill(-1);
  context.write.fill(-1);
  context.fetch.fill(-1);
  context.controlGeneration = controlGeneration;
  context.tableGeneration = tableGeneration;
  return context;
}

function newContext(): MicroTlbContext {
  return {
    read: new Float64Array(SLOTS),
    write: new Float64Array(SLOTS),
    fetch: new Float64Array(SLOTS),
    readFrame: new Float64Array(SLOTS),
    writeFrame: new Float64Array(SLOTS),
    fetchFrame: new Float64Array(SLOTS),
    readUnaligned: new Uint8Array(SLOTS),
    writeUnaligned: new Uint8Array(SLOTS),
    guarded: new Uint8Array(SLOTS),
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

/** Remembers that the page may be read at the current level. */
export function rememberRead(core: Core, va: bigint, pa: number, unaligned: boolean): void {
  const context = liveContext(core);
  const { vpn } = splitAddress(va);
  const slot = slotOf(vpn);
  context.read[slot] = vpn;
  context.readFrame[slot] = Math.floor(pa / PAGE_BYTES);
  context.readUnaligned[slot] = unaligned ? 1 : 0;
}

/** Remembers that the page may be written at the current level. */
export function rememberWrite(core: Core, va: bigint, pa: number, unaligned: boolean): void {
  const context = liveContext(core);
  const { vpn } = splitAddress(va);
  const slot = slotOf(vpn);
  context.write[slot] = vpn;
  context.writeFrame[slot] = Math.floor(pa / PAGE_BYTES);
  context.writeUnaligned[slot] = unaligned ? 1 : 0;
}

/** Remembers that the page may be fetched from at the current level. */
export function rememberFetch(core: Core, va: bigint, pa: number, guarded: boolean): void {
  const context = liveContext(core);
  const { vpn } = splitAddress(va);
  const slot = slotOf(vpn);
  context.fetch[slot] = vpn;
  context.fetchFrame[slot] = Math.floor(pa / PAGE_BYTES);
  context.guarded[slot] = guarded ? 1 : 0;
}
