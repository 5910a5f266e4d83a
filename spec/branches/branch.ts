// What differs between kernel branches, as one complete table per branch.

import type { Evidence, Source } from "../sources.ts";
import type { Errno } from "../types/errno.ts";
import type { CallbackType } from "../types/hyp.ts";
import type { VmPolicy } from "./vm-policy.ts";

export const BRANCH_NAMES = [
  "android14-6.1",
  "android15-6.6",
  "android16-6.12",
  "android17-6.18",
  "mainline-6.1",
  "mainline-6.12",
  "mainline-7.3",
] as const;
export type BranchName = (typeof BRANCH_NAMES)[number];

/** `el2debug` is CONFIG_NVHE_EL2_DEBUG=y; what it adds are checks. */
export const BUILDS = ["production", "el2debug"] as const;
export type Build = (typeof BUILDS)[number];

/** One slot of struct pkvm_module_ops; `undefined` as op is a reserved slot. */
export interface OpsSlot {
  readonly slot: number;
  /** In bytes from the start of the struct. */
  readonly offset: number;
  readonly op: string | undefined;
  /** C prototype in short, for people. */
  readonly signature: string | undefined;
}

/** Bytes of one slot of struct pkvm_module_ops: a pointer, or the u64 of ANDROID_KABI_RESERVE. */
export const SLOT_BYTES = 8;

/** A slot that holds an op. */
export const slot = (index: number, op: string, signature: string): OpsSlot => ({
  slot: index,
  offset: index * SLOT_BYTES,
  op,
  signature,
});

/** The slots that ANDROID_KABI_RESERVE keeps free, `first` to `last`. */
export const reservedSlots = (first: number, last: number): readonly OpsSlot[] =>
  Array.from({ length: last - first + 1 }, (_, at) => ({
    slot: first + at,
    offset: (first + at) * SLOT_BYTES,
    op: undefined,
    signature: undefined,
  }));

/** A section that __pkvm_load_el2_module maps at EL2, in the order of its table. */
export interface MappedSection {
  readonly name: string;
  readonly prot: number;
}

/**
 * What becomes of an FF-A call of the host: `forwarded`, all of them; `filtered`, the proxy answers
 * what it blocks and what moves memory; `version first`, nothing is answered otherwise until the
 * version was negotiated; `swallowed`, the same, but the registers stay as the caller set them.
 */
export type FfaPolicy = "forwarded" | "filtered" | "version first" | "swallowed";

/** How SMCs of the host are handled. */
export interface SmcPolicy {
  /** How this part is known. */
  readonly evidence: Evidence;
  readonly ffa: FfaPolicy;
  /** How many registers, x0 and up, an answer of the FF-A proxy writes. */
  readonly ffaRegisters: 4 | 18;
  /** Whether an SMC with an immediate other than 0 is answered NOT_SUPPORTED. */
  readonly immediateRefused: boolean;
  /** Whether only ids of 32 bits are looked at; otherwise the upper half is dropped. */
  readonly upperBitsRefused: boolean;
  /** Whether the SVE hint is removed from the id before it is looked at. */
  readonly hintMasked: boolean;
  /**
   * Whether the calls that end the system poison the firmware of VMs first and take the lock of
   * MEM_PROTECT, which nobody gives back.
   */
  readonly poisonsFirmware: boolean;
}

/** Page frames, both ends included. */
export interface FrameRange {
  readonly first: number;
  readonly last: number;
}

/** The measured machine as a kernel of the branch lays it out. */
export interface BranchLayout {
  /** How this part is known; "open": the machine was never measured, and is that of 6.1. */
  readonly evidence: Evidence;
  /** CONFIG_ARM64_VA_BITS. */
  readonly vaBits: 39 | 48;
  /** What kvm_hyp_reserve took of the memory: the hypervisor's own. */
  readonly carveOut: FrameRange;
  /** The EL1 address of the first byte of memory. */
  readonly linearMapBase: bigint;
  /** How the kernel announces pKVM at EL2. */
  readonly reportedMode: "nVHE" | "hVHE";
  /**
   * Frames that are no memory and that the host has reached before user space runs: they are
   * mapped in its stage 2, by the blocks of the first touch.
   */
  readonly touchedDevices: readonly FrameRange[];
}

/** What __pkvm_host_share_hyp answers for what is not memory, in the order of its checks. */
export interface AddressChecks {
  /** How this part is known. */
  readonly evidence: Evidence;
  /** A page whose end has more than 64 bits. */
  readonly overflow: Errno;
  /** A page beyond the addresses of the host's stage 2. */
  readonly beyond: Errno;
  /** A device that is mapped in the host's stage 2; __pkvm_host_unshare_hyp answers the same. */
  readonly mappedDevice: Errno;
  /** Neither memory nor mapped yet. "shared": taken for a page of the host's. */
  readonly untouchedDevice: Errno | "shared";
}

/** One branch, complete: no defaults, no inheritance from another branch. */
export interface Branch {
  readonly name: BranchName;
  readonly evidence: Evidence;
  readonly source: readonly Source[];
  /** host_hcall[] in order; index 0 is the empty slot of __kvm_hyp_init. */
  readonly hcalls: readonly string[];
  /** How the numbers of the hypercalls are known; `source` says it for the rest. */
  readonly hcallsEvidence: Evidence;
  /** Whether there are vendor modules: hypercalls that load them, early modules, dynamic ids. */
  readonly vendorModules: boolean;
  /** First id of registered hypercalls; undefined where nothing can be registered. */
  readonly dynamicBase: number | undefined;
  readonly dynamicHcallMax: number;
  readonly ops: readonly OpsSlot[];
  /** Slots that the branch declares but leaves NULL in its table. */
  readonly nullOps: readonly string[];
  /** What is mapped at EL2 of a module; .hyp.reloc never is. */
  readonly mappedSections: readonly MappedSection[];
  /** What a handler gets in x0. */
  readonly handlerContext: "kvm_cpu_context" | "user_pt_regs" | "none";
  /** Whether the dispatcher writes SMCCC_RET_SUCCESS to x0 before it calls a registered handler. */
  readonly dispatcherSetsX0: boolean;
  /** What becomes of a dynamic id that nobody has registered. */
  readonly unknownDynamicId: "answered NOT_SUPPORTED" | "falls to the static table";
  /**
   * Whether the SVE hint bit is removed before the dynamic ids are tried; where it is not, or where
   * it is never removed, an id with the hint reaches nothing.
   */
  readonly hintMaskedBeforeDynamic: boolean;
  /** Whether only the low 32 bits of x0 count for a dynamic id. */
  readonly dynamicIdTruncated: boolean;
  /** What the second __pkvm_prot_finalize of a CPU answers. */
  readonly finaliseTwice: "EPERM" | "EINVAL";
  /** Errno of __pkvm_load_el2_module if the reservation gives x0 != 0; if it gives 0. */
  readonly reserveRefused: "EPERM" | "ENOMEM";
  readonly reserveFailed: "ENOMEM";
  /**
   * Whether a failed init unmaps with the section table as it is (true: entry 0 may be an absent
   * section, F1).
   */
  readonly unmapsFromUnshiftedTable: boolean;
  /** Whether unmapping gives the page to the host first (6.1) or removes the mapping first. */
  readonly unmapOrder: "donate, unmap" | "unmap, donate" | "none";
  /** Whether a cleared firmware is still advertised with its size. */
  readonly clearedFirmwareStillAdvertised: boolean;
  /** What finalize_pkvm does when dropping privileges fails. */
  readonly dropFailure: "clear firmware" | "BUG" | "log";
  /** Handlers per callback type. */
  readonly handlersPerType: 0 | 1 | 16;
  /** The types that have `handlersPerType` slots; every other type has one. */
  readonly multiSlotCallbacks: readonly CallbackType[];
  /** Whether pkvm_load_el2_module takes a token argument. */
  readonly loadTakesToken: boolean;
  /** Whether EL2 refuses an address between pages for a module's page (-EINVAL). */
  readonly moduleAddressChecked: boolean;
  /** What __pkvm_init_module gets. */
  readonly initArgument: "function VA" | "shared struct" | "none";
  /** How the base of a private EL2 range is aligned. */
  readonly privateAlignment: "size rounded up to a power of two" | "page" | "none";
  /** Whether a module's EL2 address mirrors its EL1 address in one window of 128 MiB. */
  readonly directRange: boolean;
  /** Whether the EL2 half of a module may call functions of another's. */
  readonly importsBetweenModules: boolean;
  /** Where EL2 checks that no early mapping is left (__pkvm_close_module_registration). */
  readonly closingCheck: "__pkvm_prot_finalize" | "__pkvm_late_cpus_finalize" | "none";
  /** What says whether DMA is isolated; if it does not, finalize_pkvm clears the firmware. */
  readonly dmaIsolatedBy: "pkvm_iommu_finalize" | "kvm_iommu_init_driver" | "none";
  /** Whether finalize_pkvm also asks is_kvm_arm_initialised. */
  readonly finalizeAsksKvmInitialised: boolean;
  readonly smc: SmcPolicy;
  /** Whether a module gives devices to the hypervisor always, or if its third argument says so. */
  readonly donatesDevices: "always" | "if asked" | "never";
  /** Sharing what is no memory. */
  readonly addressChecks: AddressChecks;
  /** What becomes of a host that touches a page that is not its own: handle_host_mem_abort. */
  readonly foreignPageAbort: "injected" | "HOST_ABORT_UNHANDLED";
  /** Whether KVM_CREATE_VM knows bit 31 of its type. */
  readonly protectedVms: boolean;
  /** VMs at EL2; undefined: their hypercalls are not modelled. */
  readonly vms: VmPolicy | undefined;
  /** Where things lie on the measured machine. */
  readonly layout: BranchLayout;
}
