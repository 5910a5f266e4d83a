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

/** One class of the encoding index, and the file that has its entries. */
export interface EncodingClass {
  readonly name: string;
  /** Below cpu/isa. */
  readonly file: string;
  readonly entries: readonly Instruction[];
}

const inClass = (name: string, file: string, entries: readonly Instruction[]): EncodingClass => ({
  name,
  file,
  entries,
});

/** Every class of base A64. */
export const classes: readonly EncodingClass[] = [
  // Reserved.
  inClass("Reserved", "reserved.ts", reserved),
  // Data processing (immediate).
  inClass("PC-rel. addressing", "data-processing-immediate/pc-relative.ts", pcRelative),
  inClass(
    "Add/subtract (immediate)",
    "data-processing-immediate/add-subtract.ts",
    addSubtractImmediate,
  ),
  inClass(
    "Add/subtract (immediate, with tags)",
    "data-processing-immediate/add-subtract-tags.ts",
    addSubtractTags,
  ),
  inClass("Logical (immediate)", "data-processing-immediate/logical.ts", logicalImmediate),
  inClass("Move wide (immediate)", "data-processing-immediate/move-wide.ts", moveWide),
  inClass("Bitfield", "data-processing-immediate/bitfield.ts", bitfield),
  inClass("Extract", "data-processing-immediate/extract.ts", extract),
  // Branches, exception generating and system instructions.
  inClass(
    "Conditional branch (immediate)",
    "branches-exceptions-system/branches-immediate.ts",
    conditionalBranch,
  ),
  inClass(
    "Exception generation",
    "branches-exceptions-system/exception-generation.ts",
    exceptionGeneration,
  ),
  inClass("Hints", "branches-exceptions-system/hints.ts", hints),
  inClass("Barriers", "branches-exceptions-system/barriers-pstate.ts", barriers),
  inClass("PSTATE", "branches-exceptions-system/barriers-pstate.ts", pstate),
  inClass(
    "System register move, system instructions",
    "branches-exceptions-system/system-registers.ts",
    systemRegisters,
  ),
  inClass(
    "Unconditional branch (register)",
    "branches-exceptions-system/branches-register.ts",
    unconditionalBranchRegister,
  ),
  inClass(
    "Unconditional branch (immediate)",
    "branches-exceptions-system/branches-immediate.ts",
    unconditionalBranchImmediate,
  ),
  inClass(
    "Compare and branch (immediate)",
    "branches-exceptions-system/branches-immediate.ts",
    compareAndBranch,
  ),
  inClass(
    "Test and branch (immediate)",
    "branches-exceptions-system/branches-immediate.ts",
    testAndBranch,
  ),
  // Loads and stores.
  inClass("Load/store memory tags", "loads-stores/memory-tags.ts", loadStoreMemoryTags),
  inClass(
    "Load/store exclusive register, exclusive pair",
    "loads-stores/exclusive.ts",
    loadStoreExclusive,
  ),
  inClass("Load/store ordered", "loads-stores/ordered.ts", loadStoreOrdered),
  inClass(
    "Compare and swap, and pair",
    "loads-stores/compare-and-swap.ts",
    compareAndSwapInstructions,
  ),
  inClass(
    "LDAPR/STLR (unscaled immediate)",
    "loads-stores/ordered-unscaled.ts",
    loadStoreOrderedUnscaled,
  ),
  inClass("Load register (literal)", "loads-stores/load-literal.ts", loadLiteral),
  inClass(
    "Load/store no-allocate pair (offset)",
    "loads-stores/load-store-pair.ts",
    loadStoreNoAllocatePair,
  ),
  inClass(
    "Load/store register pair (post-indexed)",
    "loads-stores/load-store-pair.ts",
    loadStorePairPostIndex,
  ),
  inClass(
    "Load/store register pair (offset)",
    "loads-stores/load-store-pair.ts",
    loadStorePairOffset,
  ),
  inClass(
    "Load/store register pair (pre-indexed)",
    "loads-stores/load-store-pair.ts",
    loadStorePairPreIndex,
  ),
  inClass("Load/store register pair: STGP", "loads-stores/memory-tags.ts", storePairWithTag),
  inClass(
    "Load/store register (unscaled immediate)",
    "loads-stores/load-store-unscaled.ts",
    loadStoreUnscaled,
  ),
  inClass(
    "Load/store register (immediate post-indexed)",
    "loads-stores/load-store-post-index.ts",
    loadStorePostIndex,
  ),
  inClass(
    "Load/store register (unprivileged)",
    "loads-stores/load-store-unprivileged.ts",
    loadStoreUnprivileged,
  ),
  inClass(
    "Load/store register (immediate pre-indexed)",
    "loads-stores/load-store-pre-index.ts",
    loadStorePreIndex,
  ),
  inClass("Atomic memory operations", "loads-stores/atomic.ts", atomicMemoryOperations),
  inClass(
    "Load/store register (register offset)",
    "loads-stores/load-store-register-offset.ts",
    loadStoreRegisterOffset,
  ),
  inClass(
    "Load/store register (pac)",
    "loads-stores/load-authenticated.ts",
    loadAuthenticatedInstructions,
  ),
  inClass(
    "Load/store register (unsigned immediate)",
    "loads-stores/load-store-unsigned-offset.ts",
    loadStoreUnsignedOffset,
  ),
  // Data processing (register).
  inClass(
    "Data-processing (2 source)",
    "data-processing-register/two-source.ts",
    dataProcessing2Source,
  ),
  inClass(
    "Data-processing (2 source): tags",
    "data-processing-register/two-source-tags.ts",
    dataProcessing2SourceTags,
  ),
  inClass(
    "Data-processing (1 source)",
    "data-processing-register/one-source.ts",
    dataProcessing1Source,
  ),
  inClass("Logical (shifted register)", "data-processing-register/logical.ts", logicalShifted),
  inClass(
    "Add/subtract (shifted register)",
    "data-processing-register/add-subtract.ts",
    addSubtractShifted,
  ),
  inClass(
    "Add/subtract (extended register)",
    "data-processing-register/add-subtract.ts",
    addSubtractExtended,
  ),
  inClass(
    "Add/subtract (with carry)",
    "data-processing-register/add-subtract.ts",
    addSubtractWithCarry,
  ),
  inClass("Rotate right into flags", "data-processing-register/flags.ts", rotateRightIntoFlags),
  inClass("Evaluate into flags", "data-processing-register/flags.ts", evaluateIntoFlags),
  inClass("Conditional compare", "data-processing-register/conditional.ts", conditionalCompare),
  inClass("Conditional select", "data-processing-register/conditional.ts", conditionalSelect),
  inClass(
    "Data-processing (3 source)",
    "data-processing-register/three-source.ts",
    dataProcessing3Source,
  ),
  // Scalar floating-point, Advanced SIMD, SVE, SME.
  inClass("Scalar floating-point, Advanced SIMD, SVE, SME", "beyond/floating-point.ts", beyond),
];

/** Every decode entry of the core. */
export const entries: readonly Instruction[] = classes.flatMap((each) => each.entries);
