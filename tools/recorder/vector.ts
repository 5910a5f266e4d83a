// A vector: a machine state with the code to run from it; and an outcome: what a machine made of
// it.

/** Exception level and stack pointer selection, as SPSR_ELx.M has them. */
export const EL_MODES = { EL0t: 0, EL1t: 4, EL1h: 5, EL2t: 8, EL2h: 9 } as const;

export type ElName = keyof typeof EL_MODES;

/** A doubleword and its physical address, or a granule and its allocation tag. */
export type Cell = readonly [address: bigint, value: bigint];

/** The values of system registers that differ from their base values, by Arm's name. */
export type Settings = ReadonlyMap<string, bigint>;

export interface Vector {
  /** The decode entry whose diagram the word was made from, or what kind of program it is. */
  readonly entry: string;
  /** `step` executes one instruction; `run` goes on until an exception is taken to EL2. */
  readonly mode: "step" | "run";
  readonly el: ElName;
  /** The name of the configuration. */
  readonly configuration: string;
  /** One word in the mode `step`. */
  readonly words: readonly number[];
  /** Virtual address of the first word. */
  readonly pc: bigint;
  /** Physical address of the first word; undefined where `pc` is not mapped. */
  readonly pa: bigint | undefined;
  /** PSTATE in the places of SPSR_ELx, without SS. */
  readonly pstate: number;
  readonly x: BigUint64Array;
  /** SP_EL0, SP_EL1, SP_EL2. */
  readonly sp: readonly [bigint, bigint, bigint];
  /** What this vector sets beside its configuration. */
  readonly settings: Settings;
  /** Memory that differs from what the configuration says. */
  readonly memory: readonly Cell[];
  /** Whether allocation tags are set before and compared after. */
  readonly tags: boolean;
}

/** The number of the stack pointer in use: EL0t, EL1t and EL2t use SP_EL0. */
export function stackOf({ el }: Pick<Vector, "el">): 0 | 1 | 2 {
  return el === "EL1h" ? 1 : el === "EL2h" ? 2 : 0;
}

export interface TakenException {
  readonly target: 1 | 2;
  /** Offset from VBAR_ELx. */
  readonly offset: number;
  readonly esr: number;
  readonly elr: bigint;
  readonly spsr: number;
}

/** The state afterwards; everything else is as before. */
export interface Outcome {
  readonly x: BigUint64Array;
  readonly sp: readonly [bigint, bigint, bigint];
  /** In the case of an exception the address of its vector. */
  readonly pc: bigint;
  readonly pstate: number;
  readonly exception: TakenException | undefined;
  /**
   * System registers that changed. ELR, SPSR and ESR of an exception's target are in `exception`;
   * FAR and HPFAR are here.
   */
  readonly settings: Settings;
  readonly memory: readonly Cell[];
  readonly tags: readonly Cell[];
}

export interface RecordedVector {
  readonly vector: Vector;
  readonly outcome: Outcome;
}

/** SS (21) belongs to the recording, and ALLINT (13) is newer than v8.5. */
const SPSR_IGNORED = 0x0020_2000;

/** SPSR_ELx or PSTATE as it is compared. */
export function comparedSpsr(value: bigint): number {
  return (Number(value & 0xffff_ffffn) & ~SPSR_IGNORED) >>> 0;
}
