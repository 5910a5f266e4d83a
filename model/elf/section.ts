// One section of a module file, as its header describes it.

import { SHF } from "./elf-abi.ts";
import { quoted } from "./refusal.ts";

/** One section header, with what was 64 bits wide as a number: checked to be exact. */
export interface Section {
  readonly index: number;
  readonly name: string;
  readonly type: number;
  /** The low 32 bits of sh_flags; no higher bit has a meaning. */
  readonly flags: number;
  /** Where the contents lie in the file. */
  readonly offset: number;
  readonly size: number;
  readonly link: number;
  readonly info: number;
  /** A power of two; a file's 0 is 1 here. */
  readonly align: number;
  readonly entrySize: number;
}

/** Whether a section gets memory in the kernel. */
export const allocated = (section: Section): boolean => (section.flags & SHF.ALLOC) !== 0;

/** A section in a message: number and name. */
export const sectionLabel = (section: { readonly index: number; readonly name: string }): string =>
  `section ${section.index} (${quoted(section.name)})`;
