// What an instruction can meet instead of its result: an exception to take, or something not
// modelled.

/** An exception with everything that taking it writes. */
export interface Exception {
  readonly type: "synchronous" | "irq" | "fiq" | "serror";
  /** The Exception level that takes it. */
  readonly target: 1 | 2;
  /** ESR_ELx.EC. */
  readonly ec: number;
  /** ESR_ELx.ISS, 25 bits. */
  readonly iss: number;
  /** FAR_ELx, for the classes that write it. */
  readonly far: bigint | undefined;
  /** HPFAR_EL2, for stage 2 faults. */
  readonly hpfar: bigint | undefined;
  /** Preferred return address: the instruction itself, or the one after it. */
  readonly returnTo: "this" | "next";
}

/** A memory access that failed; the same shape, so that it can be taken as it is. */
export type Fault = Exception;

/** A place that this core does not model: the run stops with its name. */
export interface Unmodelled {
  readonly type: "unmodelled";
  readonly what: string;
}

/** Exception classes. Source: DDI0487 D24.2.40 ESR_EL2, EC. */
export const EC = {
  Unknown: 0x00,
  WFxTrap: 0x01,
  FPTrap: 0x07,
  PACTrap: 0x09,
  BranchTarget: 0x0d,
  IllegalState: 0x0e,
  SVC64: 0x15,
  HVC64: 0x16,
  SMC64: 0x17,
  SystemRegisterTrap: 0x18,
  ERetTrap: 0x1a,
  PACFail: 0x1c,
  InstructionAbortLowerEl: 0x20,
  InstructionAbortSameEl: 0x21,
  PCAlignment: 0x22,
  DataAbortLowerEl: 0x24,
  DataAbortSameEl: 0x25,
  SPAlignment: 0x26,
  SError: 0x2f,
  SoftwareStepLowerEl: 0x32,
  SoftwareStepSameEl: 0x33,
  BRK64: 0x3c,
} as const;

/** A synchronous exception that writes no fault address and returns to its own instruction. */
export function synchronous(target: 1 | 2, ec: number, iss: number): Exception {
  return {
    type: "synchronous",
    target,
    ec,
    iss,
    far: undefined,
    hpfar: undefined,
    returnTo: "this",
  };
}

/** Says that something is not modelled. */
export function unmodelled(what: string): Unmodelled {
  return { type: "unmodelled", what };
}
