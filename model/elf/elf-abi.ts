// The numbers of the ELF-64 object file format that a kernel module is made of.
// Source: System V gABI, chapters 4 and 5; ELF for the Arm 64-bit Architecture (AAELF64).

export const EHDR_SIZE = 64;
export const SHDR_SIZE = 64;
export const SYM_SIZE = 24;
export const RELA_SIZE = 24;

export const ELFCLASS64 = 2;
export const ELFDATA2LSB = 1;
export const ET_REL = 1;
export const EM_AARCH64 = 183;

/** Section types. */
export const SHT = {
  NULL: 0,
  PROGBITS: 1,
  SYMTAB: 2,
  STRTAB: 3,
  RELA: 4,
  NOTE: 7,
  NOBITS: 8,
  REL: 9,
} as const;

/** Section flags. Source: include/uapi/linux/elf.h for the two that only Linux has. */
export const SHF = {
  WRITE: 0x1,
  ALLOC: 0x2,
  EXECINSTR: 0x4,
  RELA_LIVEPATCH: 0x0010_0000,
  RO_AFTER_INIT: 0x0020_0000,
} as const;

/** Section indices that name no section. Source: gABI; include/uapi/linux/elf.h for livepatch. */
export const SHN = { UNDEF: 0, LORESERVE: 0xff00, LIVEPATCH: 0xff20, ABS: 0xfff1, COMMON: 0xfff2 };

/** Symbol bindings and types. */
export const STB = { LOCAL: 0, GLOBAL: 1, WEAK: 2 } as const;
export const STT = { NOTYPE: 0, OBJECT: 1, FUNC: 2, SECTION: 3, FILE: 4 } as const;

/** Machines that people mistake for AArch64 most often, to say which one a file is for. */
export const MACHINE_NAMES: Readonly<Record<number, string>> = {
  3: "x86 (32 bits)",
  8: "MIPS",
  20: "PowerPC",
  21: "PowerPC64",
  40: "Arm (32 bits)",
  62: "x86-64",
  243: "RISC-V",
  258: "LoongArch",
};
