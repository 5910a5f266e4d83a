// The functions of an EL2 half that its EL1 half names: what it starts with and what it registers.

import { STB, STT } from "../elf/elf-abi.ts";
import type { LoadedModule } from "../elf/load.ts";
import { sectionNamed } from "../elf/read.ts";

/** The EL2 functions that code of another section refers to. */
export interface HypSymbols {
  /** The kernel address of the init function. */
  readonly init: bigint | undefined;
  /** Kernel addresses of the functions that are registered as hypercalls. */
  readonly handlers: readonly bigint[];
}

/** Indices of symbols that a relocation outside .hyp.* names. */
function namedByEl1(loaded: LoadedModule): ReadonlySet<number> {
  const { elf } = loaded.file;
  const named = new Set<number>();
  for (const table of elf.relocations) {
    if (elf.sections[table.target]?.name.startsWith(".hyp.") === true) continue;
    for (const { symbol } of table.entries) named.add(symbol);
  }
  return named;
}

/**
 * Every global function of .hyp.text that EL1 code refers to is either an init or a handler. The
 * init is the one whose
 * name says so; the first in the table when several do.
 */
export function hypSymbols(loaded: LoadedModule): HypSymbols {
  const { elf } = loaded.file;
  const text = sectionNamed(elf, ".hyp.text");
  const named = namedByEl1(loaded);
  const functions = elf.symbols.filter(
    ({ index, section, type, bind }) =>
      section === text?.index && type === STT.FUNC && bind !== STB.LOCAL && named.has(index),
  );
  const init = functions.find(({ name }) => /init/.test(name));
  const addressOf = (index: number): bigint => loaded.values[index] ?? 0n;
  return {
    init: init === undefined ? undefined : addressOf(init.index),
    handlers: functions
      .filter((one) => !/init/.test(one.name))
      .map(({ index }) => addressOf(index)),
  };
}
