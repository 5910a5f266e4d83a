// The virtual machines that EL2 knows: its table, their vCPUs, and what their stage 2 maps.

import type { Pfn } from "./address.ts";

/** A vCPU for PSCI. Source: PSCI_0_2_AFFINITY_LEVEL_ON, _OFF, _ON_PENDING, uapi/linux/psci.h. */
export type PowerState = "ON" | "OFF" | "ON_PENDING";

/** What a guest may do with one of its pages. Source: enum pkvm_page_state (android14-6.1). */
export type GuestPageState = "OWNED" | "SHARED_OWNED" | "SHARED_BORROWED";

/** One page of a guest. */
export interface GuestPage {
  readonly pfn: Pfn;
  readonly state: GuestPageState;
}

/** The stage 2 of a guest, and the memory that its tables are made of. */
export interface GuestStage2 {
  /** The first of the two pages of the concatenated level 1. */
  readonly root: Pfn;
  /** Pages by guest frame number. */
  readonly pages: ReadonlyMap<number, GuestPage>;
  /** Guest frame numbers that the MMIO guard lets through: annotations, which take tables too. */
  readonly guarded: ReadonlySet<number>;
  /** Tables of level 2, by the frame number >> 18, and of level 3, by the frame number >> 9. */
  readonly level2: ReadonlyMap<number, Pfn>;
  readonly level3: ReadonlyMap<number, Pfn>;
  /** Pages of tables that became empty, the oldest first: the next table takes that one. */
  readonly pool: readonly Pfn[];
}

/** One vCPU as EL2 keeps it. Source: struct pkvm_hyp_vcpu, nvhe/pkvm.h (android14-6.1). */
export interface HypVcpu {
  /** Physical address of the host's struct kvm_vcpu, which is shared and pinned. */
  readonly hostVcpu: bigint;
  /** The first of the pages that the host gave for it. */
  readonly memory: Pfn;
  readonly power: PowerState;
  /** Where it starts when it is reset: undefined when somebody else says so, or nobody yet. */
  readonly reset: { readonly pc: bigint; readonly x0: bigint } | undefined;
  /** Pages for tables, the next one first. */
  readonly memcache: readonly Pfn[];
  /** Why it last left for the host, which decides what the host may change when it comes back. */
  readonly exit?: VcpuExit;
}

/** An exit of a protected guest to the host. Source: pkvm_hyp_vcpu.exit_code, handle_pvm_exit_*. */
export type VcpuExit =
  | { readonly kind: "hvc"; readonly id: number; readonly x1: bigint }
  /** An abort of a load or store; `mmio` when the host may see the access itself. */
  | {
      readonly kind: "data abort";
      readonly mmio: boolean;
      /** The register that a load of a device waits for. */
      readonly loads: number | undefined;
      readonly far: bigint;
    }
  | { readonly kind: "instruction abort"; readonly far: bigint }
  | { readonly kind: "other" };

/** The vCPU that enters at the firmware: a number, nobody yet, or done for ever. */
export type PrimaryVcpu = number | undefined | "entered";

/** One VM as EL2 keeps it. Source: struct pkvm_hyp_vm, nvhe/pkvm.h (android14-6.1). */
export interface HypVm {
  readonly isProtected: boolean;
  /** Physical address of the host's struct kvm, which is shared and pinned. */
  readonly hostKvm: bigint;
  /** The first of the pages that the host gave for it. */
  readonly memory: Pfn;
  /** The page of last_ran; undefined where a branch has none. */
  readonly lastRan: Pfn | undefined;
  /** How many vCPUs it may have. */
  readonly createdVcpus: number;
  readonly vcpus: readonly HypVcpu[];
  /** Undefined: none (all ones in the host's struct). */
  readonly pvmfwLoadAddr: bigint | undefined;
  readonly primaryVcpu: PrimaryVcpu;
  /** KVM_ARCH_FLAG_MMIO_GUARD. */
  readonly mmioGuard: boolean;
  readonly isDying: boolean;
  readonly stage2: GuestStage2;
}

/** Which vCPU a CPU has loaded. */
export interface LoadedVcpu {
  readonly handle: number;
  readonly vcpu: number;
}

/** Source: HANDLE_OFFSET, KVM_MAX_PVMS, hyp/nvhe/pkvm.c (android14-6.1); measured, life-p. */
export const HANDLE_OFFSET = 0x1000;
export const KVM_MAX_PVMS = 255;

/** The VMID of a handle; 0 is the host's. Source: insert_vm_table_entry (android14-6.1). */
export const vmidOf = (handle: number): number => handle - HANDLE_OFFSET + 1;
