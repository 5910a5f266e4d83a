// Floating point, Advanced SIMD, SVE and SME: recognised, trapped where they trap, not executed.
// Source: DDI0487 C4.1, top level.

import { perform, undefinedThough, unmodelled } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** Data processing, and loads and stores of the SIMD and floating-point registers. */
const FP_SIMD = instruction({
  name: "FP/SIMD",
  source: "DDI0487 C4.1.5 Data Processing - Scalar Floating-Point and Advanced SIMD",
  missing: "everything but the traps: the run stops with its name",
  encoding: "above:4 11 below:26",
  execute: () => [perform("CheckFPAdvSIMDEnabled"), unmodelled("FP/SIMD")],
});

/** No processor here has FEAT_SVE. */
const SVE = instruction({
  name: "SVE",
  source: "DDI0487 C4.1.30 SVE encodings",
  missing: "no processor here has it",
  encoding: "above:3 0010 below:25",
  execute: () => undefinedThough,
});

/** No processor here has FEAT_SME. */
const SME = instruction({
  name: "SME",
  source: "DDI0487 C4.1.2 SME encodings",
  missing: "no processor here has it",
  encoding: "1 above:2 0000 below:25",
  execute: () => undefinedThough,
});

export const beyond = [FP_SIMD, SVE, SME];
