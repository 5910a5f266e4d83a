// What the modelled kernel exports: every function, by name.

import type { Branch } from "../../../spec/branches/branch.ts";
import { ALLOCATION_FUNCTIONS } from "./allocation-functions.ts";
import { type ExportedFunction, stop } from "./kernel.ts";
import { MEMORY_FUNCTIONS } from "./memory-functions.ts";
import { NUMBER_FUNCTIONS } from "./numbers.ts";
import { PARAMETER_FUNCTIONS } from "./parameter-functions.ts";
import { PRINT_FUNCTIONS } from "./print-functions.ts";
import { STRING_FUNCTIONS } from "./string-functions.ts";

/** Functions that end the kernel. Source: kernel/panic.c, lib/string_helpers.c (linux 6.1). */
const FATAL_FUNCTIONS: Readonly<Record<string, ExportedFunction>> = {
  __stack_chk_fail: () => {
    throw stop("panic", "stack-protector: Kernel stack is corrupted");
  },
  fortify_panic: () => {
    throw stop("panic", "detected buffer overflow");
  },
  __fortify_panic: () => {
    throw stop("panic", "detected buffer overflow");
  },
};

/**
 * arm_smccc_1_1_get_conduit: SMCCC_CONDUIT_NONE, as the measured machine's firmware has PSCI and no
 * SMCCC.
 * Source: measured, behaviour 42: SMCCC_VERSION is not supported.
 */
const conduit: ExportedFunction = () => 0n;

/** Functions by exported name. A name that is not here ends a load with "Unknown symbol". */
export const EXPORTED_FUNCTIONS: ReadonlyMap<string, ExportedFunction> = new Map(
  Object.entries({
    ...MEMORY_FUNCTIONS,
    ...STRING_FUNCTIONS,
    ...NUMBER_FUNCTIONS,
    ...PRINT_FUNCTIONS,
    ...ALLOCATION_FUNCTIONS,
    ...PARAMETER_FUNCTIONS,
    ...FATAL_FUNCTIONS,
    arm_smccc_1_1_get_conduit: conduit,
    arm_smccc_get_version: () => 0x1_0000n,
  }),
);

/**
 * Functions of pKVM's host side: exported too, and answered by the model of them. Source:
 * arch/arm64/kvm/pkvm.c.
 */
export function pkvmFunctions({ vendorModules, dmaIsolatedBy }: Branch): readonly string[] {
  if (!vendorModules) return [];
  const iommu = dmaIsolatedBy === "pkvm_iommu_finalize" ? ["pkvm_iommu_finalize"] : [];
  return ["__pkvm_load_el2_module", "__pkvm_register_el2_call", ...iommu];
}
