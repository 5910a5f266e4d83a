// What a branch's table says, fact by fact: in words, where the kernel decides it, and how it is
// known.

import { cite, type Evidence, type Source } from "../sources.ts";
import type { Branch, BranchName } from "./branch.ts";

/** Everything in a table but the lists of names and what says how the table is known. */
export type FactKey = Exclude<
  keyof Branch,
  "name" | "evidence" | "source" | "hcallsEvidence" | "hcalls" | "ops"
>;

/** One fact that every branch has. */
export interface Fact {
  readonly key: FactKey;
  readonly what: string;
  /** Function and file that decide it. */
  readonly at: string;
}

const HOST = "arch/arm64/kvm/pkvm.c";
const DISPATCH = "hyp/nvhe/hyp-main.c";
const MODULES = "hyp/nvhe/modules.c";
const MEM_PROTECT = "hyp/nvhe/mem_protect.c";

const fact = (key: FactKey, what: string, at: string): Fact => ({ key, what, at });

/** Every fact, in the order of a boot, a load, a call, a page and a VM. */
export const FACTS: readonly Fact[] = [
  fact("layout", "the measured machine as the kernel lays it out", "asm/memory.h; kvm_hyp_reserve"),
  fact("vendorModules", "there are vendor modules", HOST),
  fact("finalizeAsksKvmInitialised", "KVM must be initialised", `finalize_pkvm, ${HOST}`),
  fact("dmaIsolatedBy", "what says that DMA is isolated", `finalize_pkvm, ${HOST}`),
  fact(
    "clearedFirmwareStillAdvertised",
    "cleared firmware keeps its size",
    `pkvm_firmware_rmem_clear, ${HOST}`,
  ),
  fact("dropFailure", "a CPU that is not finalised costs", `finalize_pkvm, ${HOST}`),
  fact("finaliseTwice", "the second finalisation of a CPU", `__pkvm_prot_finalize, ${MEM_PROTECT}`),
  fact("closingCheck", "where early mappings are looked for", MODULES),
  fact("mappedSections", "sections that EL2 maps", `__pkvm_load_el2_module, ${HOST}`),
  fact("loadTakesToken", "pkvm_load_el2_module has a token", "asm/kvm_pkvm_module.h"),
  fact("reserveRefused", "no answer to the reservation", `__pkvm_load_el2_module, ${HOST}`),
  fact("reserveFailed", "no room for the reservation", `__pkvm_load_el2_module, ${HOST}`),
  fact("privateAlignment", "base of a private range is aligned to", "hyp/nvhe/mm.c"),
  fact("directRange", "EL2 mirrors the module area", `pkvm_el2_mod_alloc_va, ${HOST}`),
  fact("importsBetweenModules", "EL2 halves call each other", `${HOST}: imported symbols`),
  fact("moduleAddressChecked", "module addresses are checked", "hyp/nvhe/mm.c"),
  fact("initArgument", "what __pkvm_init_module gets", `__pkvm_init_module, ${MODULES}`),
  fact("unmapOrder", "unmapping a module's page", "__pkvm_unmap_module_page, hyp/nvhe/mm.c"),
  fact(
    "unmapsFromUnshiftedTable",
    "a failed init unmaps from entry 0 (F1)",
    `__pkvm_load_el2_module, ${HOST}`,
  ),
  fact("nullOps", "ops that are declared and NULL", `module_ops, ${MODULES}`),
  fact("handlersPerType", "slots of an array of handlers", MODULES),
  fact("multiSlotCallbacks", "handlers in arrays", `module_handler_register, ${MODULES}`),
  fact("dynamicBase", "first id of registered functions", "asm/kvm_asm.h"),
  fact("dynamicHcallMax", "functions that can be registered", `MAX_DYNAMIC_HCALLS, ${MODULES}`),
  fact("handlerContext", "what a function gets in x0", `handle_host_dynamic_hcall, ${MODULES}`),
  fact("dispatcherSetsX0", "x0 is 0 before the function", `handle_host_dynamic_hcall, ${MODULES}`),
  fact("unknownDynamicId", "an id that nobody registered", `handle_host_dynamic_hcall, ${MODULES}`),
  fact(
    "hintMaskedBeforeDynamic",
    "the SVE hint is removed first",
    `handle_host_hcall, ${DISPATCH}`,
  ),
  fact("dynamicIdTruncated", "32 bits of a dynamic id count", `handle_host_hcall, ${DISPATCH}`),
  fact("smc", "SMCs of the host", `handle_host_smc, ${DISPATCH}; hyp/nvhe/ffa.c`),
  fact("addressChecks", "sharing what is no memory", MEM_PROTECT),
  fact("donatesDevices", "a module gives devices away", `__pkvm_host_donate_hyp, ${MEM_PROTECT}`),
  fact("foreignPageAbort", "touching another's page", `handle_host_mem_abort, ${MEM_PROTECT}`),
  fact("protectedVms", "KVM knows protected VMs", "kvm_arch_init_vm, arch/arm64/kvm/arm.c"),
  fact("vms", "VMs at EL2", "__pkvm_init_vm, kvm_handle_pvm_hvc64, hyp/nvhe/pkvm.c"),
];

/** What is known otherwise than the rest of a table. */
const OTHERWISE: Readonly<Partial<Record<BranchName, Partial<Record<FactKey, Evidence>>>>> = {
  "android14-6.1": {
    finalizeAsksKvmInitialised: "read",
    dropFailure: "read",
    closingCheck: "read",
    reserveRefused: "read",
    reserveFailed: "read",
    directRange: "read",
    importsBetweenModules: "read",
    moduleAddressChecked: "read",
    initArgument: "read",
    unmapOrder: "read",
    nullOps: "read",
    multiSlotCallbacks: "read",
    dynamicHcallMax: "read",
    hintMaskedBeforeDynamic: "derived",
  },
  "android15-6.6": { unmapOrder: "derived", donatesDevices: "read" },
  "android17-6.18": { dynamicBase: "derived" },
  "mainline-6.12": { hintMaskedBeforeDynamic: "derived" },
  "mainline-7.3": { hintMaskedBeforeDynamic: "derived" },
};

/** How one fact of a branch is known: its own word, a group's, or that of the table. */
export function evidenceOf(branch: Branch, key: FactKey): Evidence {
  const value = branch[key];
  if (typeof value === "object" && "evidence" in value) return value.evidence;
  return OTHERWISE[branch.name]?.[key] ?? branch.evidence;
}

/** Where one fact of a branch comes from. */
export const sourceOf = ({ name }: Branch, { at }: Fact): Source => cite(name, at);
