// All decode entries, in the order of the Arm ARM's encoding index (DDI0487 C4.1).

import type { Instruction } from "../bits/instruction.ts";
import { beyond } from "./beyond/floating-point.ts";
import { barriers, pstate } from "./branches-exceptions-system/barriers-pstate.ts";
import {
  compareAndBranch,
  conditionalBranch,
  testAndBranch,
  unconditionalBranchImmediate,
} from "./branches-exceptions-system/branches-immediate.ts";
import { unconditionalBranchRegister } from "./branches-exceptions-system/branches-register.ts";
import { exceptionGeneration } from "./branches-exceptions-system/exception-generation.ts";
import { hints } from "./branches-exceptions-system/hints.ts";
import { systemRegisters } from "./branches-exceptions-system/system-registers.ts";
import { addSubtractImmediate } from "./data-processing-immediate/add-subtract.ts";
import { addSubtractTags } from "./data-processing-immediate/add-subtract-tags.ts";
import { bitfield } from "./data-processing-immediate/bitfield.ts";
import { extract } from "./data-processing-immediate/extract.ts";
import { logicalImmediate } from "./data-processing-immediate/logical.ts";
import { moveWide } from "./data-processing-immediate/move-wide.ts";
import { pcRelative } from "./data-processing-immediate/pc-relative.ts";
import {
  addSubtractExtended,
  addSubtractShifted,
  addSubtractWithCarry,
} from "./data-processing-register/add-subtract.ts";
import { conditionalCompare, conditionalSelect } from "./data-processing-register/conditional.ts";
import { evaluateIntoFlags, rotateRightIntoFlags } from "./data-processing-register/flags.ts";
import { logicalShifted } from "./data-processing-register/logical.ts";
import { dataProcessing1Source } from "./data-processing-register/one-source.ts";
import { dataProcessing3Source } from "./data-processing-register/three-source.ts";
import { dataProcessing2Source } from "./data-processing-register/two-source.ts";
import { dataProcessing2SourceTags } from "./data-processing-register/two-source-tags.ts";
import { atomicMemoryOperations } from "./loads-stores/atomic.ts";
import { compareAndSwapInstructions } from "./loads-stores/compare-and-swap.ts";
import { loadStoreExclusive } from "./loads-stores/exclusive.ts";
import { loadAuthenticatedInstructions } from "./loads-stores/load-authenticated.ts";
import { loadLiteral } from "./loads-stores/load-literal.ts";
import {
  loadStoreNoAllocatePair,
  loadStorePairOffset,
  loadStorePairPostIndex,
  loadStorePairPreIndex,
} from "./loads-stores/load-store-pair.ts";
import { loadStorePostIndex } from "./loads-stores/load-store-post-index.ts";
import { loadStorePreIndex } from "./loads-stores/load-store-pre-index.ts";
import { loadStoreRegisterOffset } from "./loads-stores/load-store-register-offset.ts";
import { loadStoreUnprivileged } from "./loads-stores/load-store-unprivileged.ts";
import { loadStoreUnscaled } from "./loads-stores/load-store-unscaled.ts";
import { loadStoreUnsignedOffset } from "./loads-stores/load-store-unsigned-offset.ts";
import { loadStoreMemoryTags, storePairWithTag } from "./loads-stores/memory-tags.ts";
import { loadStoreOrdered } from "./loads-stores/ordered.ts";
import { loadStoreOrderedUnscaled } from "./loads-stores/ordered-unscaled.ts";
import { reserved } from "./reserved.ts";

/** Every decode entry of the core. */
export const entries: readonly Instruction[] = [
  // Reserved.
  ...reserved,
  // Data processing (immediate).
  ...pcRelative,
  ...addSubtractImmediate,
  ...addSubtractTags,
  ...logicalImmediate,
  ...moveWide,
  ...bitfield,
  ...extract,
  // Branches, exception generating and system instructions.
  ...conditionalBranch,
  ...exceptionGeneration,
  ...hints,
  ...barriers,
  ...pstate,
  ...systemRegisters,
  ...unconditionalBranchRegister,
  ...unconditionalBranchImmediate,
  ...compareAndBranch,
  ...testAndBranch,
  // Loads and stores.
  ...loadStoreMemoryTags,
  ...loadStoreExclusive,
  ...loadStoreOrdered,
  ...compareAndSwapInstructions,
  ...loadStoreOrderedUnscaled,
  ...loadLiteral,
  ...loadStoreNoAllocatePair,
  ...loadStorePairPostIndex,
  ...loadStorePairOffset,
  ...loadStorePairPreIndex,
  ...storePairWithTag,
  ...loadStoreUnscaled,
  ...loadStorePostIndex,
  ...loadStoreUnprivileged,
  ...loadStorePreIndex,
  ...atomicMemoryOperations,
  ...loadStoreRegisterOffset,
  ...loadAuthenticatedInstructions,
  ...loadStoreUnsignedOffset,
  // Data processing (register).
  ...dataProcessing2Source,
  ...dataProcessing2SourceTags,
  ...dataProcessing1Source,
  ...logicalShifted,
  ...addSubtractShifted,
  ...addSubtractExtended,
  ...addSubtractWithCarry,
  ...rotateRightIntoFlags,
  ...evaluateIntoFlags,
  ...conditionalCompare,
  ...conditionalSelect,
  ...dataProcessing3Source,
  // Scalar floating-point, Advanced SIMD, SVE, SME.
  ...beyond,
];
