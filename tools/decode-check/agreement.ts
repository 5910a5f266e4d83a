// When our verdict and a disassembler's are the same, in the words of each.

import { entries } from "../../cpu/isa/entries.ts";
import { spaces, type ToolVerdict, UNALLOCATED } from "./verdict.ts";

/** The disassemblers, and what is asked of each. */
export type Tool = "llvm-mc" | "objdump";

/** A difference between our verdict and a tool's, as far as other words can share it. */
export interface Difference {
  readonly tool: Tool;
  /** The name of our entry, UNALLOCATED, or the name of a space. */
  readonly ours: string;
  /** The tool's mnemonic, or `undefined`. */
  readonly theirs: string;
}

/** Instructions whose mnemonic takes a suffix for acquire and release before that of the size. */
const ordered = /^(ld(?:add|clr|eor|set|smax|smin|umax|umin)|swp|casp?)(?:a|l|al)?(b|h)?$/;

/** `STXRB, STLXRB` are two mnemonics; `LDP, post-index` is one; `B.cond` has none of its own. */
function mnemonicsOf(name: string): readonly string[] {
  const found = name.replace(/\(.*/, "").matchAll(/\b[A-Z][A-Z0-9]*(?=$|[ ,])/g);
  return [...found].map(([mnemonic]) => mnemonic.toLowerCase());
}

const byName = new Map(entries.map((entry) => [entry.name, entry]));

/** The mnemonics of an entry, and of the entry that it is a special case of. */
const mnemonics = new Map(
  entries.map(({ name, within }) => {
    const all = [...mnemonicsOf(name), ...mnemonicsOf(within ?? "")];
    return [name, new Set(all)] as const;
  }),
);

/**
 * Aliases that LLVM prints even where it is asked for none; each is preferred in the Arm ARM.
 * Source: DDI0487 C6.2, the alias conditions of these instructions.
 */
const llvmAliases: Readonly<Record<string, readonly string[]>> = {
  MOVN: ["mov"],
  MOVZ: ["mov"],
  "ORR (immediate)": ["mov"],
  SBFM: ["asr", "sbfiz", "sbfx", "sxtb", "sxth", "sxtw"],
  BFM: ["bfi", "bfxil"],
  UBFM: ["lsl", "lsr", "ubfiz", "ubfx", "uxtb", "uxth"],
  LSLV: ["lsl"],
  LSRV: ["lsr"],
  ASRV: ["asr"],
  RORV: ["ror"],
  SYS: ["at", "cfp", "cpp", "dc", "dvp", "ic", "tlbi"],
};

/** Whether a mnemonic can be that of an entry. */
export function isMnemonicOf(name: string, mnemonic: string): boolean {
  const own = mnemonics.get(name);
  if (own === undefined) return false;
  if (own.has(mnemonic)) return true;
  if (name === "B.cond") return /^b\.[a-z]{2}$/.test(mnemonic);
  const [, stem, size = ""] = ordered.exec(mnemonic) ?? [];
  return stem !== undefined && own.has(stem + size);
}

/** The entry whose opcode this one has in LLVM: a special case has none of its own. */
export const generalEntry = (name: string): string => byName.get(name)?.within ?? name;

/**
 * How our verdict differs from LLVM's; nothing where it does not. `base` is what LLVM says with the
 * features of our processor and without floating point, `all` with everything that it knows.
 */
export function differsFromLlvm(
  ours: string,
  base: ToolVerdict,
  all: ToolVerdict,
): Difference | undefined {
  if (spaces.includes(ours) && base.mnemonic === undefined) return undefined;
  if (llvmAliases[ours]?.includes(base.mnemonic ?? "")) return undefined;
  return differs("llvm-mc", ours, base.mnemonic ?? all.mnemonic);
}

/** How our verdict differs from objdump's, which cannot be asked without floating point. */
export function differsFromObjdump(ours: string, theirs: ToolVerdict): Difference | undefined {
  if (spaces.includes(ours)) return undefined;
  return differs("objdump", ours, theirs.mnemonic);
}

function differs(tool: Tool, ours: string, mnemonic: string | undefined): Difference | undefined {
  if (mnemonic === undefined && ours === UNALLOCATED) return undefined;
  if (mnemonic !== undefined && isMnemonicOf(ours, mnemonic)) return undefined;
  return { tool, ours, theirs: mnemonic ?? "undefined" };
}
