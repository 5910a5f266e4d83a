// What an UNDEFINED instruction was, by name: the register that is not there, or the entry.

import { extractFields } from "../../cpu/bits/encoding.ts";
import { decode, indexFor } from "../../cpu/isa/decode.ts";
import { readPhysical } from "../../cpu/memory.ts";
import type { Core } from "../../cpu/state.ts";
import { genericName, registerAt } from "../../cpu/sysregs/lookup.ts";

/** The word at an address that is not translated; undefined where there is no memory. */
function wordAt(core: Core, pc: bigint): number | undefined {
  const value = (pc & 3n) === 0n ? readPhysical(core.memory, pc, 4) : undefined;
  return value === undefined ? undefined : Number(value);
}

/** The register or system instruction of a word, by its own name where it has one. */
function systemName(values: Readonly<Record<string, number>>): string {
  const { o0, op1 = 0, CRn = 0, CRm = 0, op2 = 0 } = values;
  const encoding = { op0: o0 === undefined ? 1 : 2 + o0, op1, CRn, CRm, op2 };
  const known = registerAt(encoding)?.name;
  return known === undefined ? genericName(encoding) : `${known} (${genericName(encoding)})`;
}

/** Says what the instruction at an address is that was UNDEFINED. */
export function undefinedText(core: Core, pc: bigint): string | undefined {
  const word = wordAt(core, pc);
  if (word === undefined) return undefined;
  const hex = word.toString(16).padStart(8, "0");
  const entry = decode(indexFor(core.cpuModel.features), word);
  if (entry === undefined) return `UNDEFINED: ${hex}, unallocated`;
  const register = /^(MRS|MSR \(register\)|SYS|SYSL)$/.test(entry.name);
  const name = register ? ` ${systemName(extractFields(entry.encoding, word))}` : "";
  return `UNDEFINED: ${hex}, ${entry.name}${name}`;
}
