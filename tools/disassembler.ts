// Capstone's text of an A64 instruction: what others call it, beside our own name for it.

import { createRequire } from "node:module";

/** The part of capstone-js that is used; the package has no types. */
interface CapstoneModule {
  readonly ARCH_ARM64: number;
  readonly MODE_LITTLE_ENDIAN: number;
  readonly Capstone: new (arch: number, mode: number) => Capstone;
}
interface Capstone {
  readonly disasm: (
    bytes: readonly number[],
    address: number,
  ) => readonly { readonly mnemonic: string; readonly op_str: string }[];
}

/** The text of a word, relative to address 0; undefined where Capstone knows none. */
export type Disassembler = (word: number) => string | undefined;

const load = createRequire(import.meta.url)(
  "@alexaltea/capstone-js",
) as () => Promise<CapstoneModule>;

export async function openDisassembler(): Promise<Disassembler> {
  const module = await load();
  const capstone = new module.Capstone(module.ARCH_ARM64, module.MODE_LITTLE_ENDIAN);
  return (word) => {
    const bytes = [word & 0xff, (word >>> 8) & 0xff, (word >>> 16) & 0xff, word >>> 24];
    try {
      const [first] = capstone.disasm(bytes, 0);
      return first && `${first.mnemonic} ${first.op_str}`.trim();
    } catch {
      // It throws, as a string, for a word that it does not know.
      return undefined;
    }
  };
}
