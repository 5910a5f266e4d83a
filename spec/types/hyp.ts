// The abstract state of the whole system: what the hypervisor, the host kernel and user space know.

import type { BranchName, Build } from "../branches/branch.ts";
import type { HypVa, Pfn } from "./address.ts";
import type { HypVm, LoadedVcpu } from "./hyp-vm.ts";
import type { ModuleState } from "./module.ts";
import type { PanicReason } from "./outcome.ts";
import type { PageState } from "./page.ts";
import type { VmState } from "./vm.ts";

/** Which system is modelled: a branch as measured, or the branch with the page's promises kept. */
export interface SystemConfig {
  readonly branch: BranchName;
  readonly build: Build;
  /** True: the overrides of `spec/branches/documented.ts` are in force. */
  readonly documented: boolean;
  readonly cpuCount: number;
}

/**
 * kvm-arm.mode as it took effect; "vhe" is the kernel at EL2, which a CPU with FEAT_VHE gets when
 * nothing is asked.
 */
export type KvmMode = "none" | "vhe" | "nvhe" | "nested" | "protected";

/** The boot so far. Source: section order of arch/arm64/kvm/arm.c and arch/arm64/kvm/pkvm.c. */
export interface BootState {
  readonly mode: KvmMode;
  /** kvm-arm.protected_modules as the kernel kept it. */
  readonly protectedModules: string;
  /** kvm_arm_init has set up EL2 (is_kvm_arm_initialised). */
  readonly hypUp: boolean;
  /** The static key kvm_protected_mode_initialized. */
  readonly key: boolean;
  /** HCR_EL2.VM is set on that CPU: __pkvm_prot_finalize ran there. */
  readonly finalised: readonly boolean[];
  /** pkvm_load_early_modules returned. */
  readonly earlyModulesDone: boolean;
  /** The first early module that failed to load, with the status that modprobe left. */
  readonly loadFailure: { readonly name: string; readonly status: number } | undefined;
  /** Every name that was requested of modprobe, in order. */
  readonly requestedNames: readonly string[];
  /** The early-module request that is being served. */
  readonly requested: string | undefined;
  /** pkvm_iommu_finalize was called with 0 by someone. */
  readonly iommuFinalised: boolean;
  /** EL2 was told, whatever it was told: it answers the next one -EPERM. */
  readonly iommuClosed: boolean;
}

/** The firmware of protected VMs (pvmfw). */
export interface FirmwareState {
  /** Bytes of the reserved region; 0 when the device tree has none. */
  readonly regionBytes: number;
  readonly content: "image" | "zero";
  /** What KVM_CAP_ARM_PROTECTED_VM INFO reports, in bytes. */
  readonly advertisedBytes: number;
}

/** One reservation in the private range of the EL2 address space; never given back. */
export interface Reservation {
  readonly base: HypVa;
  readonly pages: number;
  /** It was taken for a private mapping and does not count as module memory. */
  readonly isPrivate?: boolean;
}

/** One page that EL2 maps in its private range for a module. */
export interface ModuleMapping {
  readonly pfn: Pfn;
  readonly prot: number;
}

/** The EL2 address space beyond the linear map. */
export interface El2Space {
  /** The next free address of the bump allocator. */
  readonly nextFree: HypVa;
  readonly reservations: readonly Reservation[];
  /** Module pages by EL2 page address. */
  readonly mappings: ReadonlyMap<HypVa, ModuleMapping>;
  /** Bytes that linear_map_early mapped and nobody unmapped: an int that wraps. */
  readonly earlyBytes: number;
}

/** Callbacks that a module can register, by the name of the op that registers them. */
export type CallbackType =
  | "serial_driver"
  | "host_perm_fault_handler"
  | "host_smc_handler"
  | "default_trap_handler"
  | "illegal_abt_notifier"
  | "psci_notifier"
  | "hyp_panic_notifier";

/** What EL2 calls on behalf of modules. */
export interface DispatchState {
  /** Registered hypercalls: the id is `dynamicBase + index`. */
  readonly dynamicHcalls: readonly HypVa[];
  readonly callbacks: Readonly<Partial<Record<CallbackType, HypVa>>>;
  /** The handlers after the first, of types that keep several, in the order of registration. */
  readonly further: Readonly<Partial<Record<CallbackType, readonly HypVa[]>>>;
}

/**
 * Where a CPU that is started enters the host: what the caller of CPU_ON gave. Source: struct
 * psci_boot_args, hyp/nvhe/psci-relay.c.
 */
export interface BootArguments {
  readonly pc: bigint;
  readonly r0: bigint;
}

/** What the PSCI relay and the firmware below it know. */
export interface PsciState {
  readonly power: readonly ("on" | "off")[];
  /** The boot arguments of each CPU while their lock is held: from CPU_ON to its first step. */
  readonly booting: readonly (BootArguments | undefined)[];
  /** The lock of MEM_PROTECT was taken by a call that should have ended the system. */
  readonly memProtectLocked: boolean;
}

/**
 * What modules changed of one CPU's control registers. Source: struct kvm_nvhe_init_params: hcr_el2
 * without VM, which is `finalised`, and hfgwtr_el2.
 */
export interface CpuControls {
  readonly hcrSet: bigint;
  readonly hcrClear: bigint;
  readonly hfgwtr: bigint;
}

/** How it all ended, if it did: nothing happens after it. */
export type End =
  | { readonly kind: "hyp-panic"; readonly reason: PanicReason; readonly esr: bigint | undefined }
  | { readonly kind: "host-panic"; readonly reason: PanicReason }
  | { readonly kind: "hang"; readonly where: string }
  | { readonly kind: "off"; readonly what: "SYSTEM_OFF" | "SYSTEM_RESET" };

/** The abstract state. */
export interface Hyp {
  readonly config: SystemConfig;
  readonly boot: BootState;
  readonly firmware: FirmwareState;
  readonly modules: ReadonlyMap<string, ModuleState>;
  readonly el2: El2Space;
  readonly dispatch: DispatchState;
  readonly psci: PsciState;
  /** By CPU. */
  readonly controls: readonly CpuControls[];
  /** Pages that are not plainly the host's. */
  readonly pages: ReadonlyMap<Pfn, PageState>;
  /** VMs by the number user space gave them. */
  readonly vms: ReadonlyMap<number, VmState>;
  /** EL2's table of VMs, by handle. */
  readonly vmTable: ReadonlyMap<number, HypVm>;
  /** Handles that are reserved for a VM that is not made yet. Source: RESERVED_ENTRY, pkvm.c. */
  readonly reservedHandles: ReadonlySet<number>;
  /** The vCPU that is loaded on each CPU. */
  readonly loaded: readonly (LoadedVcpu | undefined)[];
  /** How many pages PSCI MEM_PROTECT counts. Source: psci_mem_protect_inc, psci-relay.c. */
  readonly memProtect: number;
  /** ICH_VMCR_EL2 of each CPU on which the host wrote it. */
  readonly vmcr: ReadonlyMap<number, bigint>;
  readonly end: End | undefined;
}
