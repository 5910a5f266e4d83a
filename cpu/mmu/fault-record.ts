// What can go wrong in a translation or a memory access, and the fault status code of each.

/** Source: DDI0487 shared/functions/aborts, Fault. */
export type FaultType =
  | "addressSize"
  | "translation"
  | "accessFlag"
  | "permission"
  | "alignment"
  | "externalAbort"
  | "externalAbortOnWalk"
  | "tagCheck"
  | "unsupportedAtomic";

/** Source: DDI0487 shared/functions/aborts, FaultRecord; with the members that this core needs. */
export interface FaultRecord {
  readonly fault: FaultType;
  /** Which stage failed. A failure of stage 2 is taken to EL2. */
  readonly stage: 1 | 2;
  /** The level of lookup, for the types that have one. */
  readonly level: number;
  /** Stage 2 failed while a descriptor of stage 1 was looked up. */
  readonly onStage1Walk: boolean;
  /** The intermediate physical address at which stage 2 failed. */
  readonly ipa: number;
}

/** A failure of stage 1. */
export function stage1Fault(fault: FaultType, level: number): FaultRecord {
  return { fault, stage: 1, level, onStage1Walk: false, ipa: 0 };
}

/** A failure of stage 2 at an intermediate physical address. */
export function stage2Fault(
  fault: FaultType,
  level: number,
  ipa: number,
  onStage1Walk: boolean,
): FaultRecord {
  return { fault, stage: 2, level, onStage1Walk, ipa };
}

/** DFSC and IFSC. Source: DDI0487 D24.2.40 ESR_EL2, ISS encoding for a Data Abort; EncodeLDFSC. */
export function faultStatusCode(fault: FaultType, level: number): number {
  switch (fault) {
    case "addressSize":
      return 0b000000 | level;
    case "translation":
      return 0b000100 | level;
    case "accessFlag":
      return 0b001000 | level;
    case "permission":
      return 0b001100 | level;
    case "externalAbort":
      return 0b010000;
    case "tagCheck":
      return 0b010001;
    case "externalAbortOnWalk":
      return 0b010100 | level;
    case "alignment":
      return 0b100001;
    case "unsupportedAtomic":
      return 0b110101;
  }
}
