// The stage 2 of guests in memory: root and tables lie in pages that the host gave.

import { addressOf, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { type GuestPage, type GuestStage2, type HypVm, vmidOf } from "../../spec/types/hyp-vm.ts";
import type { Machine } from "../machine/machine.ts";
import { invalidateGuest } from "../machine/tlb.ts";
import { LEVEL2_SHIFT, LEVEL3_SHIFT } from "../vm/stage2.ts";
import { HOST_MEMORY_PROT, hostStage2Attributes, hostStage2Prot } from "./attributes.ts";
import {
  isTable,
  isValid,
  type Level,
  leaf,
  OUTPUT_ADDRESS,
  outputAddress,
  STATE_OWNED,
  STATE_SHARED_BORROWED,
  STATE_SHARED_OWNED,
  stateName,
  tableEntry,
  withoutState,
} from "./descriptor.ts";
import { ENTRIES } from "./physical.ts";

/** 40 bits of addresses. Source: measured, life-map-p; the root is two pages side by side. */
const INDEX = ENTRIES - 1;

/**
 * What the MMIO guard leaves in an invalid entry: "MMIO", one bit up.
 * Source: MMIO_NOTE, hyp/nvhe/mem_protect.c (android14-6.1).
 */
export const MMIO_NOTE = 0x4d4d_494fn << 1n;

const STATE = {
  OWNED: STATE_OWNED,
  SHARED_OWNED: STATE_SHARED_OWNED,
  SHARED_BORROWED: STATE_SHARED_BORROWED,
} as const;

/** The entry of a page. Source: stage2_set_prot_attr, guest_complete_donation (android14-6.1). */
export const guestEntry = ({ pfn: page, state }: GuestPage): bigint =>
  leaf(addressOf(page), 3, hostStage2Attributes(HOST_MEMORY_PROT) | STATE[state]);

/** The entry at a frame number as the abstract state has it. */
function leafOf({ pages, guarded }: GuestStage2, gfn: number): bigint {
  const page = pages.get(gfn);
  if (page !== undefined) return guestEntry(page);
  return guarded.has(gfn) ? MMIO_NOTE : 0n;
}

const slot = (table: Pfn, index: number): bigint => addressOf(table) + 8n * BigInt(index);

/** The keys that one of two maps or sets has, and the other has not or has otherwise. */
function* differing(
  before: ReadonlyMap<number, unknown> | ReadonlySet<number> | undefined,
  now: ReadonlyMap<number, unknown> | ReadonlySet<number>,
): Generator<number> {
  if (before === now) return;
  const at = (of: typeof now | undefined, key: number): unknown =>
    of instanceof Map ? of.get(key) : of?.has(key) || undefined;
  for (const key of new Set([...(before?.keys() ?? []), ...now.keys()])) {
    if (at(before, key) !== at(now, key)) yield key;
  }
}

/** Writes what changed in the stage 2 of every VM that is still there. */
export function syncGuestStage2(machine: Machine, pre: Hyp, post: Hyp): void {
  for (const [handle, vm] of post.vmTable) {
    const before = pre.vmTable.get(handle);
    if (before?.stage2 === vm.stage2) continue;
    // A handle that is used again is another VM.
    syncVm(machine, handle, before?.memory === vm.memory ? before.stage2 : undefined, vm.stage2);
  }
}

function syncVm(
  machine: Machine,
  handle: number,
  before: GuestStage2 | undefined,
  now: GuestStage2,
): void {
  const { physical } = machine;
  for (const index of differing(before?.level2, now.level2)) {
    const table = now.level2.get(index);
    const entry = table === undefined ? 0n : tableEntry(addressOf(table));
    physical.write64(slot(now.root, index), entry);
  }
  for (const index of differing(before?.level3, now.level3)) {
    const above = now.level2.get(index >>> (LEVEL2_SHIFT - LEVEL3_SHIFT));
    const table = now.level3.get(index);
    if (above === undefined) continue;
    const entry = table === undefined ? 0n : tableEntry(addressOf(table));
    physical.write64(slot(above, index & INDEX), entry);
  }
  const changed = [
    ...differing(before?.pages, now.pages),
    ...differing(before?.guarded, now.guarded),
  ];
  const table = { root: addressOf(now.root), vmid: vmidOf(handle) };
  for (const gfn of new Set(changed)) {
    const third = now.level3.get(gfn >>> LEVEL3_SHIFT);
    if (third !== undefined) physical.write64(slot(third, gfn & INDEX), leafOf(now, gfn));
    invalidateGuest(machine, table, BigInt(gfn) << 12n);
  }
}

/** What the tables of a guest say. */
export interface SeenGuest {
  readonly pages: ReadonlyMap<number, GuestPage>;
  readonly guarded: ReadonlySet<number>;
  /** The pages that tables lie in, the root apart. */
  readonly tables: ReadonlySet<Pfn>;
  /** Entries that EL2 never writes. */
  readonly odd: readonly string[];
}

/** Walks the tables of a guest from its root. */
export function readGuest(machine: Machine, root: Pfn): SeenGuest {
  const seen = {
    pages: new Map<number, GuestPage>(),
    guarded: new Set<number>(),
    tables: new Set<Pfn>(),
    odd: [] as string[],
  };
  const visit = (table: Pfn, level: Level, first: number): void => {
    const words = machine.physical.readPage(addressOf(table));
    words.forEach((entry, index) => {
      if (entry === 0n) return;
      const gfn = first + index * 2 ** (9 * (3 - level));
      if (isTable(entry, level)) {
        const below = pfn(Number((entry & OUTPUT_ADDRESS) >> 12n));
        seen.tables.add(below);
        visit(below, (level + 1) as Level, gfn);
      } else readLeaf(seen, gfn, entry, level);
    });
  };
  visit(root, 1, 0);
  visit(pfn(root + 1), 1, ENTRIES * 2 ** LEVEL2_SHIFT);
  return seen;
}

function readLeaf(
  seen: { pages: Map<number, GuestPage>; guarded: Set<number>; odd: string[] },
  gfn: number,
  entry: bigint,
  level: Level,
): void {
  const state = isValid(entry) ? stateName(entry) : undefined;
  if (level === 3 && entry === MMIO_NOTE) seen.guarded.add(gfn);
  else if (level === 3 && state !== undefined && plain(entry)) {
    seen.pages.set(gfn, { pfn: pfn(Number(outputAddress(entry, 3) >> 12n)), state });
  } else seen.odd.push(`gfn 0x${gfn.toString(16)} has entry 0x${entry.toString(16)}`);
}

const plain = (entry: bigint): boolean => hostStage2Prot(withoutState(entry)) === HOST_MEMORY_PROT;

/** One sentence for each place where the tables of guests and the abstract state differ. */
export function guestDisagreements(machine: Machine, hyp: Hyp): string[] {
  return [...hyp.vmTable].flatMap(([handle, vm]) => {
    const { stage2 } = vm;
    const seen = readGuest(machine, stage2.root);
    const name = `VM 0x${handle.toString(16)}`;
    const found = seen.odd.map((odd) => `${name}: ${odd}`);
    for (const gfn of differing(entries(seen), entries(stage2))) {
      found.push(`${name}: gfn 0x${gfn.toString(16)} is not in memory as in the state`);
    }
    const tables = new Set([...stage2.level2.values(), ...stage2.level3.values()]);
    if (tables.size !== seen.tables.size || [...tables].some((page) => !seen.tables.has(page))) {
      found.push(`${name}: its tables do not lie where the state has them`);
    }
    return found;
  });
}

/** Everything that stands at a frame number, as one word. */
const entries = (of: Pick<GuestStage2, "pages" | "guarded">): ReadonlyMap<number, bigint> =>
  new Map([
    ...[...of.pages].map(([gfn, page]) => [gfn, guestEntry(page)] as const),
    ...[...of.guarded].map((gfn) => [gfn, MMIO_NOTE] as const),
  ]);

/** What VTTBR_EL2 holds while a guest runs. Source: kvm_get_vttbr, asm/kvm_mmu.h. */
export const guestTable = (handle: number, { stage2 }: HypVm): bigint =>
  addressOf(stage2.root) | (BigInt(vmidOf(handle)) << 48n);
