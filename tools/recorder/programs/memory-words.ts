// Items that load and store: where they go is worked out, and mostly in the data pages.

import type { Instruction } from "../../../cpu/bits/instruction.ts";
import { type DataAccess, dataAccess, indexOffset } from "../../../model/machine/data-access.ts";
import type { Random } from "../random.ts";
import { isConstrainedUnpredictable } from "../unpredictable.ts";
import { DATA_MIDDLE, DATA_PAGES } from "./machine.ts";
import { dataProcessingWord, entriesIn, type Place, randomWord } from "./straight.ts";
import {
  addDistance,
  CLREX,
  freeRegister,
  moveImmediate,
  moveKeep32,
  pacdza,
  ROLES,
} from "./words.ts";

const all = entriesIn("loads-stores");

const isStoreExclusive = (word: number): boolean => (word & 0x3fe0_0000) === 0x0800_0000;
const isStoreExclusivePair = (word: number): boolean => (word & 0xbfe0_0000) >>> 0 === 0x8820_0000;
const isLoadExclusive = (entry: Instruction): boolean =>
  dataAccess(entry.encoding.value)?.kind === "exclusive" && /^LD/.test(entry.name);

const loadExclusives = all.filter(isLoadExclusive);

const PAGE = 0x1000;
const MIDDLE = Number(DATA_MIDDLE);

/** An offset from the middle of the data for a plain access: any alignment, over every edge. */
function plainTarget(random: Random, sizeBytes: number): number {
  switch (random.below(8)) {
    case 0:
      // Across the middle, where physical memory is not in order.
      return 1 + random.below(sizeBytes) - sizeBytes - (random.oneIn(2) ? 0 : 8);
    case 1:
      // Into the page that can only be read.
      return PAGE - random.below(sizeBytes + 8);
    case 2:
      // From the page that is not mapped, and to it.
      return random.pick([-PAGE, 2 * PAGE]) - random.below(sizeBytes + 8);
    case 3: {
      const { va, kind } = random.pick(DATA_PAGES);
      const slots = (PAGE - 64) / 16;
      // QEMU 10.0.2 misses alignment faults on Device memory that its TLB knows already.
      const unaligned = kind === "device" ? 0 : random.below(16);
      return va - MIDDLE + 16 * random.below(slots) + unaligned;
    }
    default:
      return random.below(2 * PAGE - 32) - PAGE;
  }
}

/** The page that EL0 cannot use, and that PSTATE.PAN therefore does not forbid. */
const PRIVILEGED = DATA_PAGES.find(({ kind }) => kind === "privileged")!.va - MIDDLE;

/**
 * Aligned, in one of the first two pages; what only loads may go to the third as well. QEMU fails
 * a store-exclusive without a monitor before it looks at the address: no exclusive access faults.
 */
function alignedTarget({ random, el }: Place, access: DataAccess): number {
  if (access.kind === "exclusive" && el.startsWith("EL1")) return PRIVILEGED + 16 * random.below(8);
  const pages = access.load && access.kind !== "atomic" ? 3 : 2;
  const sizeBytes = access.pair ? 16 : access.sizeBytes;
  return sizeBytes * random.below((pages * PAGE) / sizeBytes) - PAGE;
}

const targetOf = (place: Place, access: DataAccess): number =>
  access.kind === "plain"
    ? plainTarget(place.random, access.sizeBytes)
    : alignedTarget(place, access);

/** The words that lead an access to its target: index, then base. */
function leadWords(random: Random, access: DataAccess, target: number): number[] | undefined {
  const { base, index, offset } = access;
  if (base === undefined) return [];
  if (index === undefined) return addDistance(base, ROLES.data, target - Number(offset));
  if (index.register === base) return undefined;
  const value = index.register === 31 ? 0 : random.below(0x800);
  const added = Number(indexOffset(index, BigInt(value)));
  const setIndex = index.register === 31 ? [] : [moveImmediate(index.register, value)];
  return [...setIndex, ...addDistance(base, ROLES.data, target - added)];
}

const withField = (word: number, low: number, width: number, value: number): number =>
  ((word & ~((2 ** width - 1) << low)) | (value << low)) >>> 0;

/** The word with registers that may be written as base and index, and even ones for CASP. */
function withOwnRegisters(random: Random, word: number, access: DataAccess): number {
  let own = word;
  if (access.base !== undefined)
    own = withField(own, 5, 5, random.oneIn(8) ? 31 : freeRegister(random));
  if (access.index !== undefined) own = withField(own, 16, 5, freeRegister(random));
  const isPairSwap = access.kind === "atomic" && access.pair;
  if (isPairSwap) for (const low of [0, 16]) own = withField(own, low, 5, 2 * random.below(10));
  return own;
}

/** A literal that is in the program or just outside it. */
const nearLiteral = (random: Random, word: number): number =>
  withField(word, 5, 19, (random.below(64) - 16) & 0x7ffff);

/** A load, a store, an atomic: the words that lead it to its address, then itself. */
export function accessWords(place: Place): number[] {
  const { random } = place;
  for (;;) {
    const drawn = randomWord(random, random.pick(all));
    const found = dataAccess(drawn);
    if (found === undefined || found.kind === "tags") continue;
    if (found.base === undefined) return [nearLiteral(random, drawn)];
    const word = withOwnRegisters(random, drawn, found);
    const access = dataAccess(word);
    if (access === undefined || isConstrainedUnpredictable(word)) continue;
    // Base 31 is the stack pointer; nothing authenticates what is not signed.
    const lead = leadWords(random, access, targetOf(place, access));
    if (lead === undefined) continue;
    if (access.kind === "authenticated") {
      if (access.base === 31) continue;
      return [...lead, pacdza(access.base!), withField(word, 23, 1, 0)];
    }
    const { base = 31 } = access;
    // Far from everything, now and then.
    if (access.kind === "plain" && base !== 31 && random.oneIn(24))
      return [...lead, moveKeep32(base, 1 + random.below(0x7fff)), word];
    // After a load-exclusive of another size it would be CONSTRAINED UNPREDICTABLE.
    return access.kind === "exclusive" && !access.load ? [...lead, CLREX, word] : [...lead, word];
  }
}

/** Load-exclusive, some data processing, and the store-exclusive of the same kind. */
export function exclusiveWords(place: Place): number[] {
  const { random } = place;
  for (;;) {
    const drawn = randomWord(random, random.pick(loadExclusives));
    const load = withField(drawn, 5, 5, freeRegister(random));
    const access = dataAccess(load);
    if (access === undefined || isConstrainedUnpredictable(load)) continue;
    const status = freeRegister(random);
    const store = withField(withField(load, 22, 1, 0), 16, 5, status);
    if (isConstrainedUnpredictable(store)) continue;
    if (!isStoreExclusive(store) && !isStoreExclusivePair(store)) continue;
    const { base = 0 } = access;
    const loaded = [load & 31, access.pair ? (load >>> 10) & 31 : 31];
    if (loaded.includes(base)) continue;
    const target = alignedTarget(place, { ...access, load: false });
    const between = [dataProcessingWord(place), dataProcessingWord(place)].filter(
      (word) => (word & 31) !== base,
    );
    return [...addDistance(base, ROLES.data, target), load, ...between, store];
  }
}

/** DC ZVA of one block of the data. */
export function zeroWords({ random }: Place): number[] {
  const t = freeRegister(random);
  const offset = random.below(3 * PAGE) - PAGE;
  return [...addDistance(t, ROLES.data, offset), (0xd50b_7420 | t) >>> 0];
}
