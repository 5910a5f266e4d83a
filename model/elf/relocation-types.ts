// Every static relocation that an arm64 kernel applies to a module, as data.
// Source: ELF for the Arm 64-bit Architecture (AAELF64), "Relocation"; which of them, and which
// are checked: apply_relocate_add, arch/arm64/kernel/module.c of 6.1 (the same in 6.6).

/** What is computed from S + A and the place P: itself, its distance, the distance of the pages. */
export type RelocationOp = "ABS" | "PREL" | "PAGE";

/** Where an immediate stands in an instruction. Source: aarch64_insn_encode_immediate. */
export type ImmediateField = "ADR" | "26" | "19" | "16" | "14" | "12";

/** How one relocation type changes its place. */
export type Howto =
  | { readonly kind: "none" }
  /** A data word; ABS of 16 and 32 bits is unsigned, PREL signed. */
  | { readonly kind: "data"; readonly op: "ABS" | "PREL"; readonly width: 16 | 32 | 64 }
  /**
   * Bits [lsb+15:lsb] into a move-wide immediate. `MOVKZ` keeps the opcode, `MOVNZ` makes it MOVN
   * for a negative value and MOVZ for another.
   */
  | {
      readonly kind: "movw";
      readonly op: "ABS" | "PREL";
      readonly lsb: 0 | 16 | 32 | 48;
      readonly form: "MOVKZ" | "MOVNZ";
      readonly checked: boolean;
    }
  /** Bits [lsb+len-1:lsb], signed, into an immediate field. */
  | {
      readonly kind: "immediate";
      readonly op: RelocationOp;
      readonly lsb: number;
      readonly len: number;
      readonly field: ImmediateField;
      readonly checked: boolean;
      /** Whether a veneer in .plt helps when the target is too far. */
      readonly veneer: boolean;
    };

export interface RelocationType {
  readonly number: number;
  /** AAELF64's name without R_AARCH64_. */
  readonly name: string;
  readonly howto: Howto;
}

const data = (number: number, name: string, op: "ABS" | "PREL", width: 16 | 32 | 64) => ({
  number,
  name,
  howto: { kind: "data", op, width } as const,
});

/** The last word says whether an overflow is an error; `_NC` in a name is "no check". */
const movw = (
  number: number,
  name: string,
  op: "ABS" | "PREL",
  lsb: 0 | 16 | 32 | 48,
  form: "MOVKZ" | "MOVNZ",
  check: "checked" | "unchecked",
) => ({
  number,
  name,
  howto: { kind: "movw", op, lsb, form, checked: check === "checked" } as const,
});

const immediate = (
  number: number,
  name: string,
  op: RelocationOp,
  [lsb, len]: readonly [number, number],
  field: ImmediateField,
  check: "checked" | "unchecked" | "veneer",
) => ({
  number,
  name,
  howto: {
    kind: "immediate",
    op,
    lsb,
    len,
    field,
    checked: check !== "unchecked",
    veneer: check === "veneer",
  } as const,
});

export const R_AARCH64_ABS64 = 257;
export const R_AARCH64_JUMP26 = 282;
export const R_AARCH64_CALL26 = 283;

/** In the order of their numbers. */
export const RELOCATION_TYPES: readonly RelocationType[] = [
  // R_ARM_NONE, which the kernel takes as well.
  { number: 0, name: "NONE", howto: { kind: "none" } },
  { number: 256, name: "NONE", howto: { kind: "none" } },
  data(R_AARCH64_ABS64, "ABS64", "ABS", 64),
  data(258, "ABS32", "ABS", 32),
  data(259, "ABS16", "ABS", 16),
  data(260, "PREL64", "PREL", 64),
  data(261, "PREL32", "PREL", 32),
  data(262, "PREL16", "PREL", 16),
  movw(263, "MOVW_UABS_G0", "ABS", 0, "MOVKZ", "checked"),
  movw(264, "MOVW_UABS_G0_NC", "ABS", 0, "MOVKZ", "unchecked"),
  movw(265, "MOVW_UABS_G1", "ABS", 16, "MOVKZ", "checked"),
  movw(266, "MOVW_UABS_G1_NC", "ABS", 16, "MOVKZ", "unchecked"),
  movw(267, "MOVW_UABS_G2", "ABS", 32, "MOVKZ", "checked"),
  movw(268, "MOVW_UABS_G2_NC", "ABS", 32, "MOVKZ", "unchecked"),
  movw(269, "MOVW_UABS_G3", "ABS", 48, "MOVKZ", "unchecked"),
  movw(270, "MOVW_SABS_G0", "ABS", 0, "MOVNZ", "checked"),
  movw(271, "MOVW_SABS_G1", "ABS", 16, "MOVNZ", "checked"),
  movw(272, "MOVW_SABS_G2", "ABS", 32, "MOVNZ", "checked"),
  immediate(273, "LD_PREL_LO19", "PREL", [2, 19], "19", "checked"),
  immediate(274, "ADR_PREL_LO21", "PREL", [0, 21], "ADR", "checked"),
  // CHOICE: never patched for Cortex-A53 erratum 843419, as on a CPU without it.
  immediate(275, "ADR_PREL_PG_HI21", "PAGE", [12, 21], "ADR", "checked"),
  immediate(276, "ADR_PREL_PG_HI21_NC", "PAGE", [12, 21], "ADR", "unchecked"),
  immediate(277, "ADD_ABS_LO12_NC", "ABS", [0, 12], "12", "unchecked"),
  immediate(278, "LDST8_ABS_LO12_NC", "ABS", [0, 12], "12", "unchecked"),
  immediate(279, "TSTBR14", "PREL", [2, 14], "14", "checked"),
  immediate(280, "CONDBR19", "PREL", [2, 19], "19", "checked"),
  immediate(R_AARCH64_JUMP26, "JUMP26", "PREL", [2, 26], "26", "veneer"),
  immediate(R_AARCH64_CALL26, "CALL26", "PREL", [2, 26], "26", "veneer"),
  immediate(284, "LDST16_ABS_LO12_NC", "ABS", [1, 11], "12", "unchecked"),
  immediate(285, "LDST32_ABS_LO12_NC", "ABS", [2, 10], "12", "unchecked"),
  immediate(286, "LDST64_ABS_LO12_NC", "ABS", [3, 9], "12", "unchecked"),
  movw(287, "MOVW_PREL_G0", "PREL", 0, "MOVNZ", "checked"),
  movw(288, "MOVW_PREL_G0_NC", "PREL", 0, "MOVKZ", "unchecked"),
  movw(289, "MOVW_PREL_G1", "PREL", 16, "MOVNZ", "checked"),
  movw(290, "MOVW_PREL_G1_NC", "PREL", 16, "MOVKZ", "unchecked"),
  movw(291, "MOVW_PREL_G2", "PREL", 32, "MOVNZ", "checked"),
  movw(292, "MOVW_PREL_G2_NC", "PREL", 32, "MOVKZ", "unchecked"),
  movw(293, "MOVW_PREL_G3", "PREL", 48, "MOVNZ", "unchecked"),
  immediate(299, "LDST128_ABS_LO12_NC", "ABS", [4, 8], "12", "unchecked"),
];

/** The relocation type of that number; undefined for one that the kernel does not know. */
export const relocationType = (number: number): RelocationType | undefined => BY_NUMBER.get(number);

const BY_NUMBER = new Map(RELOCATION_TYPES.map((type) => [type.number, type]));
