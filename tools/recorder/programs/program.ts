// A program: words and the registers that it starts with; and what a machine made of it.

import type { SysregName } from "../../../cpu/sysregs/names.ts";
import type { ElName } from "../vector.ts";
import { DUMPED, PLACES } from "./machine.ts";

/** Some words that belong together: branches lead only to the first of them. */
export interface Item {
  readonly words: readonly number[];
  /** A word that depends on where it and its target are. */
  readonly aimed?: Aimed;
  /** Without it the program may not end: the counters of loops, returns, the end itself. */
  readonly needed?: boolean;
}

export interface Aimed {
  /** Which of the item's words. */
  readonly index: number;
  readonly target: Label;
  /** The word, from the distance to the target in bytes. */
  readonly word: (distance: number) => number;
}

/** A place in a program: before an item, once it is put somewhere. */
export interface Label {
  at: Item | undefined;
}

export interface Program {
  readonly el: ElName;
  /** PSTATE in the places of SPSR_ELx. */
  readonly pstate: number;
  readonly x: BigUint64Array;
  /** SP_EL0, SP_EL1, SP_EL2. */
  readonly sp: readonly [bigint, bigint, bigint];
  readonly items: readonly Item[];
}

/** Everything that is compared afterwards. */
export interface Outcome {
  readonly x: BigUint64Array;
  readonly sp: BigUint64Array;
  readonly settings: ReadonlyMap<SysregName, bigint>;
  /** The data pages, then the log of exceptions. */
  readonly memory: BigUint64Array;
}

/** The words of the items one after another, branches aimed. */
export function assemble(items: readonly Item[]): number[] {
  const places = new Map<Item, number>();
  let end = 0;
  for (const item of items) {
    places.set(item, end);
    end += item.words.length;
  }
  return items.flatMap((item) => {
    const { words, aimed } = item;
    if (aimed === undefined) return words;
    const to = aimed.target.at === undefined ? undefined : places.get(aimed.target.at);
    if (to === undefined) throw new Error("a branch leads nowhere");
    const distance = 4 * (to - places.get(item)! - aimed.index);
    return words.with(aimed.index, aimed.word(distance) >>> 0);
  });
}

/** How many doublewords an outcome has in a batch's results. */
export const OUTCOME_DOUBLEWORDS =
  PLACES.CAPTURE_DOUBLEWORDS + DUMPED.length + (PLACES.DATA_BYTES + PLACES.LOG_BYTES) / 8;

/** 64 bits of FNV-1a over doublewords: what a recorded set keeps of memory. */
export function digest(values: BigUint64Array): bigint {
  let hash = 0xcbf2_9ce4_8422_2325n;
  for (const value of values) hash = BigInt.asUintN(64, (hash ^ value) * 0x100_0000_01b3n);
  return hash;
}

/** What differs between two outcomes, memory apart, a line each. */
export function registerDifferences(
  expected: Omit<Outcome, "memory">,
  found: Omit<Outcome, "memory">,
): string[] {
  const { lines, compare } = comparison();
  expected.x.forEach((value, i) => {
    compare(`X${i}`, value, found.x[i]);
  });
  expected.sp.forEach((value, i) => {
    compare(`SP_EL${i}`, value, found.sp[i]);
  });
  for (const [name, value] of expected.settings) compare(name, value, found.settings.get(name));
  return lines;
}

/** What differs in memory, a line a doubleword. */
export function memoryDifferences(expected: BigUint64Array, found: BigUint64Array): string[] {
  const { lines, compare } = comparison();
  expected.forEach((value, i) => {
    compare(memoryName(8 * i), value, found[i]);
  });
  return lines;
}

function comparison() {
  const lines: string[] = [];
  const compare = (name: string, a: bigint | undefined, b: bigint | undefined) => {
    if (a === b) return;
    lines.push(`${name}: QEMU ${a?.toString(16)}, ours ${b?.toString(16)}`);
  };
  return { lines, compare };
}

function memoryName(offset: number): string {
  const { DATA_BYTES, DATA_PA, LOG } = PLACES;
  if (offset < DATA_BYTES) return `[${(DATA_PA + offset).toString(16)}]`;
  const entry = Math.floor((offset - DATA_BYTES) / 64);
  const member = ["vector", "ESR", "ELR", "SPSR", "FAR"][((offset - DATA_BYTES) % 64) / 8];
  return `exception ${entry} ${member} [${(LOG + offset - DATA_BYTES).toString(16)}]`;
}
