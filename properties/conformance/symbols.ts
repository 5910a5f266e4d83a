// Where the measurement module's symbols lay when it was recorded: another compiler places them
// elsewhere in their sections, and an address is compared by what lies there.

import { readElf } from "../../model/elf/read.ts";
import type { Run } from "../../model/log.ts";
import { hypVa } from "../../spec/types/address.ts";

/** Offsets from the base of the module's EL2 memory. Source: measured, machines: "Seen". */
const RECORDED: Readonly<Record<string, Readonly<Record<string, bigint>>>> = {
  ovm: {
    __kvm_nvhe_rodata_probe: 0x2020n,
    __kvm_nvhe_counters: 0x5000n,
    __kvm_nvhe_ovm_ops: 0x128n,
    __kvm_nvhe_ovm_echo: 0xf8n,
  },
};

/** Our address of each recorded symbol of the modules that are loaded, as the trace writes it. */
export function recordedSymbols(
  { final }: Run,
  files: ReadonlyMap<string, Uint8Array>,
): ReadonlyMap<bigint, string> {
  const named = new Map<bigint, string>();
  for (const { name, token, sections } of final.modules.values()) {
    const file = files.get(name);
    const recorded = RECORDED[name];
    if (file === undefined || recorded === undefined || token === undefined) continue;
    const read = readElf(file);
    if (!read.ok) continue;
    const starts = new Map(sections.map((section) => [section.name as string, section.kernVa]));
    const present = [...starts.values()].filter((start) => start !== undefined);
    const base = present.reduce((least, start) => (start < least ? start : least));
    for (const symbol of read.elf.symbols) {
      const at = recorded[symbol.name];
      const start = starts.get(read.elf.sections[symbol.section]?.name ?? "");
      if (at === undefined || start === undefined) continue;
      named.set(hypVa(token + (start - base) + symbol.value), `mod(${name})+0x${at.toString(16)}`);
    }
  }
  return named;
}
