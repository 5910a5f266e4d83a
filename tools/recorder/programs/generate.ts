// Programs at random: blocks with forward branches, bounded loops, functions and calls of them.

import { operandValue } from "../operand-values.ts";
import { namedRandom, type Random } from "../random.ts";
import { EL_MODES, type ElName } from "../vector.ts";
import { DATA_MIDDLE, PLACES, UPPER_RANGE } from "./machine.ts";
import { accessWords, exclusiveWords, zeroWords } from "./memory-words.ts";
import type { Aimed, Item, Label, Program } from "./program.ts";
import { dataProcessingWord, exceptionWords, type Place, systemWords } from "./straight.ts";
import * as w from "./words.ts";

/** A block that is being written: its items, and branches that still look for their target. */
interface Block {
  readonly place: Place;
  readonly items: Item[];
  /** Labels and after how many more items each is placed. */
  readonly pending: { readonly label: Label; items: number }[];
  /** Functions that may be called from here. */
  readonly callable: readonly Label[];
  /** How many loops are around it. */
  readonly depth: number;
}

const newBlock = (place: Place, callable: readonly Label[], depth: number): Block => ({
  ...{ place, callable, depth },
  ...{ items: [], pending: [] },
});

function push(block: Block, item: Item): void {
  for (const waiting of block.pending) {
    if (waiting.items-- === 0) waiting.label.at = item;
  }
  block.items.push(item);
}

const pushWords = (block: Block, ...words: number[]): void => push(block, { words });

function pushAimed(block: Block, before: number[], aimed: Omit<Aimed, "index">, after: number[]) {
  push(block, { words: [...before, 0, ...after], aimed: { index: before.length, ...aimed } });
}

/** A place a few items on in the same block. */
function labelAhead(block: Block): Label {
  const label: Label = { at: undefined };
  block.pending.push({ label, items: 1 + block.place.random.below(6) });
  return label;
}

/** The end of a block: what still waits is placed here. */
function endBlock(block: Block): void {
  const item: Item = { words: [w.NOP] };
  for (const { label } of block.pending) label.at ??= item;
  block.items.push(item);
}

/** The word of a branch that is aimed, and the words behind it that make it one. */
function someBranch(random: Random): [Aimed["word"], number[]] {
  const t = random.oneIn(12) ? 31 : random.below(31);
  const n = w.freeRegister(random);
  switch (random.below(8)) {
    case 0:
      return [w.b, []];
    case 1:
    case 2:
    case 3:
      return [w.bCond(random.below(16)), []];
    case 4:
    case 5:
      return [w.compareBranch(random.below(2), random.below(2), t), []];
    case 6:
      return [w.testBranch(random.below(64), random.below(2), t), []];
    default: {
      if (random.oneIn(2)) return [w.adr(n), [w.br(n)]];
      // QEMU 10.0.2 fails an assertion of its own (`pc_save != -1`) at BRAA of other registers.
      const own = 16 + random.below(2);
      return [w.adr(own), [w.pacia(own, n % 16), w.braa(own, n % 16)]];
    }
  }
}

function pushBranch(block: Block): void {
  const target = labelAhead(block);
  const [word, after] = someBranch(block.place.random);
  pushAimed(block, [], { target, word }, after);
}

function pushCall(block: Block): void {
  const { random, inFunction } = block.place;
  const target = random.pick(block.callable);
  // Where the link is needed it waits in another register.
  const [before, back] = inFunction
    ? [[w.move(w.ROLES.link, w.ROLES.lr)], [w.move(w.ROLES.lr, w.ROLES.link)]]
    : [[], []];
  const n = w.freeRegister(random);
  const modifier = (n + 1) % 20;
  const after = [[w.blr(n)], [w.pacia(n, modifier), w.blraa(n, modifier)]];
  if (random.oneIn(2)) pushAimed(block, before, { target, word: w.bl }, back);
  else pushAimed(block, before, { target, word: w.adr(n) }, [...random.pick(after), ...back]);
}

/** A loop of one to five rounds, with a counter that nothing in it writes. */
function pushLoop(block: Block, words: number): void {
  const { random } = block.place;
  const { outerCounter, innerCounter } = w.ROLES;
  const counter = block.depth === 0 ? outerCounter : innerCounter;
  push(block, { words: [w.moveImmediate(counter, 1 + random.below(5))], needed: true });
  const body = newBlock(block.place, block.callable, block.depth + 1);
  fill(body, words);
  endBlock(body);
  // Nothing outside leads into the body, nor past the counter.
  const aimed = { index: 0, target: { at: body.items[0] }, word: w.compareBranch(1, 1, counter) };
  const count: Item = { words: [w.subtract(counter, counter, 1)], needed: true };
  block.items.push(...body.items, count, { words: [0], aimed });
}

const sizeOf = (items: readonly Item[]): number =>
  items.reduce((sum, { words }) => sum + words.length, 0);

/** Adds items until the block has about so many words. */
function fill(block: Block, words: number): void {
  const { place, callable, depth } = block;
  const { random } = place;
  const canLoop = depth < 2 && !place.inFunction;
  while (sizeOf(block.items) < words) {
    const left = words - sizeOf(block.items);
    const kind = random.below(32);
    if (kind < 12) pushWords(block, dataProcessingWord(place));
    else if (kind < 19) pushWords(block, ...accessWords(place));
    else if (kind < 20) pushWords(block, ...exclusiveWords(place));
    else if (kind < 21) pushWords(block, ...(random.oneIn(3) ? zeroWords(place) : [w.NOP]));
    else if (kind < 24) pushWords(block, ...systemWords(place));
    else if (kind < 25) pushWords(block, ...exceptionWords(place));
    else if (kind < 29) pushBranch(block);
    else if (kind < 31 && callable.length > 0) pushCall(block);
    else if (canLoop && left > 8) pushLoop(block, Math.min(left - 6, 4 + random.below(24)));
  }
}

/** A function: a body and one of the ways to return; nested ones call only leaves. */
function functionItems(place: Place, words: number, callable: readonly Label[]): Item[] {
  const { random } = place;
  const block = newBlock({ ...place, inFunction: true }, callable, 0);
  fill(block, words);
  endBlock(block);
  const signs = random.oneIn(3);
  // The stack pointer is the modifier: nothing may come between that writes it.
  const end: Item = { words: signs ? [w.PACIASP, w.RETAA] : [w.RET], needed: true };
  return [...block.items, end];
}

const ELS: readonly ElName[] = ["EL1h", "EL1h", "EL1h", "EL1t", "EL0t", "EL0t", "EL2h", "EL2t"];

function entryRegisters(random: Random, el: ElName): BigUint64Array {
  const x = new BigUint64Array(31);
  for (let n = 0; n < 31; n++) x[n] = operandValue(random);
  const tag = BigInt(random.below(256)) << 56n;
  const upper = random.oneIn(3) ? DATA_MIDDLE + UPPER_RANGE : DATA_MIDDLE | tag;
  x[w.ROLES.data] = el.startsWith("EL2") || random.oneIn(3) ? DATA_MIDDLE : upper;
  x[w.ROLES.count] = 0n;
  x[w.ROLES.log] = BigInt(PLACES.LOG);
  return x;
}

/** Program `n` of a seed: 50 to 200 instructions. */
export function generateProgram(seed: number, n: number): Program {
  const random = namedRandom(seed, `program ${n}`);
  const el = random.pick(ELS);
  const place: Place = { random, el, inFunction: false };
  const words = 52 + random.below(140);
  const functionCount = random.below(4);
  const functions: Item[][] = [];
  const labels: Label[] = [];
  for (let f = 0; f < functionCount; f++) {
    // Only the last one calls, and only leaves.
    const callable = f > 0 && f === functionCount - 1 ? labels.slice() : [];
    functions.push(functionItems(place, 4 + random.below(words / 8), callable));
    labels.push({ at: functions[f]![0] });
  }
  const main = newBlock(place, labels, 0);
  fill(main, words - sizeOf(functions.flat()));
  endBlock(main);
  const over = el === "EL0t" ? w.svc(PLACES.END) : w.hvc(PLACES.END);
  push(main, { words: [over], needed: true });
  return {
    el,
    // Interrupts masked or not: none is pending.
    pstate: ((random.below(16) << 28) | (random.below(16) << 6) | EL_MODES[el]) >>> 0,
    x: entryRegisters(random, el),
    sp: [operandValue(random), operandValue(random), operandValue(random)],
    items: [...main.items, ...functions.flat()],
  };
}
