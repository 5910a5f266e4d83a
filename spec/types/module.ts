// What the kernel (EL1) and the hypervisor (EL2) know of one vendor module.

import type { HypVa, KernVa, Pfn } from "./address.ts";

/**
 * Page-table permissions as pKVM passes them.
 * Source: enum kvm_pgtable_prot; the bits are confirmed by the measured trace `ops` (X 1, W 2, R 4,
 * device 8).
 */
export const PROT = { X: 1, W: 2, R: 4, DEVICE: 8, NC: 0x10, PXN: 0x20, UXN: 0x40 } as const;
export const PAGE_HYP = PROT.R | PROT.W;
export const PAGE_HYP_EXEC = PROT.R | PROT.X;
export const PAGE_HYP_RO = PROT.R;

/**
 * A section of the EL2 half; `kernVa` undefined is an absent section, whose start the kernel keeps
 * as NULL.
 */
export interface El2Section {
  readonly name: ".hyp.text" | ".hyp.bss" | ".hyp.rodata" | ".hyp.data" | ".hyp.event_ids";
  readonly kernVa: KernVa | undefined;
  /** The physical pages in order; vmalloc_to_pfn of each page of the section. */
  readonly pfns: readonly Pfn[];
  readonly prot: number;
}

/** Where a module stands in the kernel's list. Source: enum module_state, kernel/module/main.c. */
export type ModuleListState = "coming" | "live" | "freed";

/** How far the EL2 half came. */
export type El2State = "absent" | "reserved" | "mapped" | "initialised" | "failed";

/** One module in the kernel's list. */
export interface ModuleState {
  readonly name: string;
  readonly state: ModuleListState;
  /** module_refcount: how often something holds it. */
  readonly refcount: number;
  readonly hasInit: boolean;
  readonly hasExit: boolean;
  readonly sections: readonly El2Section[];
  readonly el2: El2State;
  /** What pkvm_load_el2_module wrote through its token pointer: the base of the EL2 reservation. */
  readonly token: HypVa | undefined;
  /** The value that the EL1 init returned. */
  readonly initResult: number | undefined;
}
