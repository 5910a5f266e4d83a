// Everything that can happen: plain data, one kind per function of the kernel or instruction.

import type { HypVa, Pfn } from "./address.ts";
import type { GuestAction } from "./guest-action.ts";
import type { El2Section } from "./module.ts";
import type { ObservedAction, Taken } from "./observed-action.ts";

/**
 * The kernel reads its command line. Source: parse_early_param; early_kvm_mode_cfg,
 * early_pkvm_modules_cfg.
 */
export interface ParseEarlyParam {
  readonly kind: "parse_early_param";
  readonly commandLine: string;
}

/** KVM brings EL2 up. Source: kvm_arm_init, arch/arm64/kvm/arm.c. */
export interface KvmArmInit {
  readonly kind: "kvm_arm_init";
}

/**
 * The kernel asks modprobe for one name of the list. Source: pkvm_request_early_module,
 * arch/arm64/kvm/pkvm.c.
 */
export interface RequestEarlyModule {
  readonly kind: "pkvm_request_early_module";
  readonly name: string;
}

/**
 * modprobe ended. `status` is the raw wait status: 256 times the exit code, or a negative errno.
 */
export interface ModprobeExit {
  readonly kind: "modprobe_exit";
  readonly name: string;
  readonly status: number;
}

/** The list has been walked to its end or to its first failure. Source: pkvm_load_early_modules. */
export interface EarlyModulesDone {
  readonly kind: "pkvm_load_early_modules";
}

/** The firmware region is overwritten with zeros. Source: pkvm_firmware_rmem_clear. */
export interface FirmwareClear {
  readonly kind: "pkvm_firmware_rmem_clear";
  readonly because: "early module failed" | "IOMMU not finalised" | "not protected" | "drop failed";
}

/**
 * The static key flips; after it no CPU accepts a call below __pkvm_prot_finalize. Source:
 * pkvm_drop_host_privileges.
 */
export interface DropHostPrivileges {
  readonly kind: "pkvm_drop_host_privileges";
}

/**
 * finit_module: the loader took the file, or refused it. Source: load_module, kernel/module/main.c.
 */
export interface LoadModule {
  readonly kind: "load_module";
  readonly name: string;
  readonly sections: readonly El2Section[];
  readonly hasInit: boolean;
  readonly hasExit: boolean;
  /**
   * The negative errno of the loader's own refusal and its reason; undefined when the file is good.
   * `early`: found before the name is looked up among the loaded modules (headers, sections,
   * vermagic), otherwise after it (symbols, relocations).
   */
  readonly refused:
    | { readonly errno: number; readonly why: string; readonly early: boolean }
    | undefined;
}

/** The EL1 init returned. Source: do_init_module, kernel/module/main.c. */
export interface ModuleInitReturned {
  readonly kind: "module_init_returned";
  readonly name: string;
  readonly value: number;
  /** The instruction of the init that made the value. */
  readonly from?: bigint;
}

/**
 * The EL1 half asks for its EL2 half to be loaded: the checks before any hypercall. Source:
 * __pkvm_load_el2_module.
 */
export interface LoadEl2Module {
  readonly kind: "__pkvm_load_el2_module";
  readonly name: string;
}

/** The reservation succeeded: the token is written. Source: __pkvm_load_el2_module. */
export interface El2ModuleReserved {
  readonly kind: "el2_module_reserved";
  readonly name: string;
  readonly base: HypVa;
}

/**
 * Branches to functions of other EL2 halves are resolved; -EINVAL and -ERANGE end the load. Source:
 * pkvm_reloc_imported_symbols, arch/arm64/kvm/pkvm.c (android16-6.12).
 */
export interface RelocImportedSymbols {
  readonly kind: "pkvm_reloc_imported_symbols";
  readonly name: string;
  readonly value: number;
}

/** __pkvm_load_el2_module returns; anything but 0 drops the reference. */
export interface El2ModuleLoaded {
  readonly kind: "el2_module_loaded";
  readonly name: string;
  readonly value: number;
}

/** rmmod. Source: delete_module(2), kernel/module/main.c. */
export interface DeleteModule {
  readonly kind: "delete_module";
  readonly name: string;
}

/** A module says that the IOMMU is (0) or is not (an errno) ready. Source: pkvm_iommu_finalize. */
export interface IommuFinalize {
  readonly kind: "pkvm_iommu_finalize";
  readonly value: number;
}

/**
 * HVC #imm executed at EL1 by the host, with x0 to x17. Source: handle_host_hcall,
 * hyp/nvhe/hyp-main.c.
 */
export interface Hvc {
  readonly kind: "hvc";
  readonly cpu: number;
  readonly imm: number;
  readonly x: readonly bigint[];
  /**
   * What EL2 finds where it reads memory of the host: 64-bit words by physical address. What is not
   * given is 0. The host can write there at any time, so this is its choice like the registers.
   */
  readonly words?: ReadonlyMap<bigint, bigint>;
  /** The module whose EL1 code executes it, and where; absent where the kernel or a host does. */
  readonly caller?: { readonly module: string; readonly from: bigint };
}

/** An EL2 init function came back to __pkvm_init_module with `value` in x0. */
export interface El2InitReturned {
  readonly kind: "el2_init_returned";
  readonly cpu: number;
  readonly value: bigint;
  /** The instruction of the init that made the value. */
  readonly from?: bigint;
}

/** A registered handler came back to the dispatcher with x0 to x3 as it left them. */
export interface HandlerReturned {
  readonly kind: "handler_returned";
  readonly cpu: number;
  readonly x: readonly bigint[];
  /** What the fixmap of the CPU maps when it comes back: a physical address, or nothing. */
  readonly fixmap?: bigint;
  /** What it took for the module, where no other CPU acted meanwhile. */
  readonly taken?: Taken;
  /** The last instruction that mapped the fixmap, took something, or wrote the host's x0. */
  readonly from?: bigint;
}

/** EL2 code of a module calls a slot of struct pkvm_module_ops. */
export interface Op {
  readonly kind: "op";
  readonly cpu: number;
  readonly op: string;
  readonly args: readonly bigint[];
  /** The instruction that calls it. */
  readonly from?: bigint;
}

/** An exception taken from EL2 to EL2: pKVM has no handler for it. Source: hyp_panic. */
export interface El2Exception {
  readonly kind: "el2_exception";
  readonly cpu: number;
  readonly esr: bigint;
  readonly elr: bigint;
  readonly far: bigint;
  /** Whether the address executed was entered as a registered handler. */
  readonly entered: "handler" | "init" | "callback" | "inside";
  /** x30: who called, where `elr` is not the module's own code. */
  readonly lr?: bigint;
  /** The instruction that was executed before, where one was. */
  readonly from?: bigint;
}

/** EL1 code took an exception that nothing fixes up: the kernel dies. Source: die, traps.c. */
export interface HostOops {
  readonly kind: "host_oops";
  readonly cpu: number;
  readonly esr: bigint;
  readonly elr: bigint;
  readonly far: bigint;
}

/** A function of the kernel called panic(). */
export interface HostPanic {
  readonly kind: "host_panic";
  readonly cpu: number;
  readonly why: string;
}

/** A CPU used up its instructions in module code. */
export interface BudgetSpent {
  readonly kind: "budget_spent";
  readonly cpu: number;
  readonly where: string;
  /** The instruction that comes next. */
  readonly pc?: bigint;
}

/**
 * The host touched a page that its stage 2 says is another's. Source: handle_host_mem_abort,
 * hyp/nvhe/mem_protect.c.
 */
export interface HostMemAbort {
  readonly kind: "host_mem_abort";
  readonly cpu: number;
  readonly page: Pfn;
}

/** SMC #imm executed at EL1 by the host. Source: handle_host_smc. */
export interface Smc {
  readonly kind: "smc";
  readonly cpu: number;
  /** 0 when it is not given. */
  readonly imm?: number;
  readonly x: readonly bigint[];
}

/** A module's SMC handler came back with a bool; `x` is the host's registers as it left them. */
export interface SmcHandlerReturned {
  readonly kind: "host_smc_handler_returned";
  readonly cpu: number;
  /** Which one in the order of registration, from 0. */
  readonly handler: number;
  readonly handled: boolean;
  readonly x: readonly bigint[];
}

/** A module's PSCI notifier came back; `x` is what the host's SMC had in its registers. */
export interface PsciNotified {
  readonly kind: "psci_notified";
  readonly cpu: number;
  readonly x: readonly bigint[];
}

/** A CPU that the firmware started comes to EL2. Source: kvm_host_psci_cpu_entry. */
export interface PsciCpuEntry {
  readonly kind: "psci_cpu_entry";
  readonly cpu: number;
}

/** The host was refused an access by the permission of a page. Source: handle_host_perm_fault. */
export interface HostPermFault {
  readonly kind: "host_perm_fault";
  readonly cpu: number;
  readonly esr: bigint;
  readonly ipa: bigint;
}

/** A module's handler of permission faults came back with an errno; `handler` counts from 0. */
export interface PermFaultHandlerReturned {
  readonly kind: "host_perm_fault_handler_returned";
  readonly cpu: number;
  readonly handler: number;
  readonly value: number;
  /** The instruction that it came back from. */
  readonly from?: bigint;
}

/** EL2 is about to give the host an abort. Source: host_inject_abort, its first lines. */
export interface IllegalAbort {
  readonly kind: "illegal_abort";
  readonly cpu: number;
  readonly esr: bigint;
}

/** EL2 gives the host an abort, from EL1 or from EL0. Source: host_inject_abort. */
export interface HostInjectAbort {
  readonly kind: "host_inject_abort";
  readonly cpu: number;
  readonly esr: bigint;
  readonly fromEl1: boolean;
}

/** The host did something else that traps to EL2. Source: handle_trap, hyp/nvhe/hyp-main.c. */
export interface HostTrap {
  readonly kind: "host_trap";
  readonly cpu: number;
  readonly esr: bigint;
}

/** A module's default trap handler came back with a bool. */
export interface TrapHandlerReturned {
  readonly kind: "default_trap_handler_returned";
  readonly cpu: number;
  readonly handled: boolean;
  /** The instruction that it came back from. */
  readonly from?: bigint;
}

export type Action =
  | ObservedAction
  | ParseEarlyParam
  | KvmArmInit
  | RequestEarlyModule
  | ModprobeExit
  | EarlyModulesDone
  | FirmwareClear
  | DropHostPrivileges
  | LoadModule
  | ModuleInitReturned
  | LoadEl2Module
  | El2ModuleReserved
  | RelocImportedSymbols
  | El2ModuleLoaded
  | DeleteModule
  | IommuFinalize
  | Hvc
  | El2InitReturned
  | HandlerReturned
  | Op
  | El2Exception
  | HostOops
  | HostPanic
  | BudgetSpent
  | HostMemAbort
  | Smc
  | SmcHandlerReturned
  | PsciNotified
  | PsciCpuEntry
  | HostPermFault
  | PermFaultHandlerReturned
  | IllegalAbort
  | HostInjectAbort
  | HostTrap
  | TrapHandlerReturned
  | GuestAction;

export type ActionKind = Action["kind"];
export type ActionOf<K extends ActionKind> = Extract<Action, { kind: K }>;
