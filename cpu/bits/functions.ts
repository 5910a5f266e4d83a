// The functions of the Arm pseudocode that instructions call instead of writing them in Bits.

/**
 * How a function may be used: `pure` depends on its arguments alone; `state` also reads the state;
 * `fallible` may end the instruction with an exception; `effect` has no value and changes the
 * state.
 */
export type FunctionKind = "pure" | "state" | "fallible" | "effect";

export interface Signature {
  readonly kind: FunctionKind;
  /** Widths of the arguments; 0 stands for any. */
  readonly args: readonly number[];
  /** Width of the value; 0 for none, or for one that the caller states. */
  readonly result: number;
}

/** Functions with a value that look at the address of the instruction, or at the count of them. */
export const lookAtPC: readonly string[] = ["InGuardedPage", "MRS", "SYSL"];

const pure = (args: readonly number[], result: number): Signature => ({
  kind: "pure",
  args,
  result,
});
const state = (args: readonly number[], result: number): Signature => ({
  kind: "state",
  args,
  result,
});
const fallible = (args: readonly number[], result: number): Signature => ({
  kind: "fallible",
  args,
  result,
});
const effect = (args: readonly number[]): Signature => ({ kind: "effect", args, result: 0 });

/** Address and modifier. */
const signing = fallible([64, 64], 64);
/** Address and modifier, and whether the instruction also branches or loads. */
const authentication = fallible([64, 64, 1], 64);
/** op0, op1, CRn, CRm, op2, and the number of the register that is transferred. */
const sysreg = [2, 3, 4, 4, 3, 5] as const;
const sys = [3, 4, 4, 3, 5] as const;

/** Every such function; cpu/interpret/functions has what each does. */
export const signatures = {
  // Memory.
  CheckSPAlignment: fallible([], 64),
  AArch64_BranchAddr: state([64], 64),
  InGuardedPage: state([], 1),
  LoadExclusive: fallible([64], 0),
  StoreExclusive: fallible([64, 0], 1),
  ClearExclusiveLocal: effect([]),

  // Memory tagging.
  AllocationTagAccessIsEnabled: state([], 1),
  ChooseNonExcludedTag: state([4, 4], 4),
  InsertRandomTag: fallible([16], 4),
  TagAlignedAddress: fallible([64], 64),
  ReadMemTag: fallible([64], 4),
  WriteMemTag: effect([64, 2, 4]),
  ReadMemTags: fallible([64], 64),
  WriteMemTags: effect([64, 64]),
  ZeroMemoryAndWriteTags: effect([64, 4]),

  // Exception-generating instructions and ERET.
  SVC: effect([16]),
  HVC: effect([16]),
  SMC: effect([16]),
  BRK: effect([16]),
  HLT: effect([16]),
  DCPS: effect([2]),
  DRPS: effect([]),
  ERET: effect([]),
  ERETAA: effect([]),
  ERETAB: effect([]),

  // System registers and instructions.
  MRS: fallible(sysreg, 64),
  MSR: effect([...sysreg, 64]),
  MSR_immediate: effect([3, 3, 4]),
  SYS: effect([...sys, 64]),
  SYSL: fallible(sys, 64),

  // Floating point.
  CheckFPAdvSIMDEnabled: effect([]),

  // Hints and barriers.
  WFI: effect([]),
  WFE: effect([]),
  SEV: effect([]),
  SEVL: effect([]),
  ESB: effect([]),
  ISB: effect([]),

  // Pointer authentication.
  AddPACIA: signing,
  AddPACIB: signing,
  AddPACDA: signing,
  AddPACDB: signing,
  AddPACGA: signing,
  AuthIA: authentication,
  AuthIB: authentication,
  AuthDA: authentication,
  AuthDB: authentication,
  Strip: state([64, 1], 64),

  // Checksums.
  CRC32: pure([32, 0], 32),
  CRC32C: pure([32, 0], 32),
} as const satisfies Record<string, Signature>;

export type FunctionName = keyof typeof signatures;
