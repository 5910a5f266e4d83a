// Makes a program that differs smaller: items that can go without the difference going are gone.

import { type Assembled, type ProgramHarness, runInQemu } from "./batch.ts";
import { createProgramMemory } from "./machine.ts";
import { mismatchOf } from "./mismatch.ts";
import { assemble, type Item, type Program } from "./program.ts";
import { NOP } from "./words.ts";

/** The program with some items emptied; the item objects stay what labels name. */
function without(program: Program, from: number, to: number): Program {
  const emptied = new Map<Item, Item>();
  program.items.forEach((item, i) => {
    const goes = i >= from && i < to && item.needed !== true;
    emptied.set(item, goes ? { words: [NOP] } : { ...item });
  });
  const items = program.items.map((item) => {
    const own = emptied.get(item)!;
    if (own.aimed === undefined) return own;
    const at = own.aimed.target.at;
    const target = { at: at === undefined ? undefined : emptied.get(at) };
    return Object.assign(own, { aimed: { ...own.aimed, target } });
  });
  return { ...program, items };
}

const canGo = ({ words, needed }: Item): boolean =>
  needed !== true && (words.length !== 1 || words[0] !== NOP);

/** The smallest program found that still differs. */
export function minimise(harness: ProgramHarness, program: Program): Assembled {
  const memory = createProgramMemory(harness.handlers);
  const count = program.items.length;
  let smallest = program;
  for (let size = Math.ceil(count / 2); size >= 1; size = Math.floor(size / 2)) {
    for (let from = 0; from < count; from += size) {
      if (!smallest.items.slice(from, from + size).some(canGo)) continue;
      const candidate = without(smallest, from, Math.min(count, from + size));
      const assembled = { program: candidate, words: assemble(candidate.items) };
      const [recorded] = runInQemu(harness, [assembled]);
      if (mismatchOf(memory, assembled, recorded!).differences.length > 0) smallest = candidate;
    }
  }
  return { program: smallest, words: assemble(smallest.items) };
}
