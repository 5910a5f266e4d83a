// The documented system: a branch and what the page promises that no kernel keeps.

import type { ClauseId } from "../clause.ts";
import { PAGE } from "../page.ts";
import { cite, type Source } from "../sources.ts";
import type { SystemConfig } from "../types/hyp.ts";
import type { BranchName } from "./branch.ts";

export const OVERRIDE_NAMES = [
  "no protected VM after a failed load",
  "a failed load is cleaned up where it was mapped",
  "a module that EL2 runs is not freed",
] as const;
export type OverrideName = (typeof OVERRIDE_NAMES)[number];

/** One promise that the documented system keeps and a kernel does not. */
export interface Override {
  readonly name: OverrideName;
  /** The page's own words. */
  readonly sentence: string;
  /** The clause that states the promise. */
  readonly clause: ClauseId;
  /** What the documented system does. */
  readonly documented: string;
  /** What the kernels do instead. */
  readonly kernels: string;
  readonly on: readonly BranchName[];
  readonly source: readonly Source[];
}

const ALL: readonly BranchName[] = [
  "android14-6.1",
  "android15-6.6",
  "android16-6.12",
  "android17-6.18",
];

export const OVERRIDES: readonly Override[] = [
  {
    name: "no protected VM after a failed load",
    sentence: PAGE.failedLoad,
    clause: "DOC-10",
    documented: "KVM_CREATE_VM and KVM_RUN of a protected VM are refused once a load has failed.",
    kernels: "They wipe the firmware and refuse nothing: the VM is created and runs without it.",
    on: ALL,
    source: [
      cite("android14-6.1", "finalize_pkvm, pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-missing, mod-failinit, mod-twice: KVM_CREATE_VM(0x80000000) = 0"),
    ],
  },
  {
    name: "a failed load is cleaned up where it was mapped",
    sentence: PAGE.failedLoad,
    clause: "DOC-13",
    documented: "The load fails, its pages go back to the host, and the system goes on booting.",
    kernels:
      "If the EL2 half lacks a section, they unmap at addresses counted from NULL, and EL2 panics.",
    on: ["android14-6.1", "android15-6.6", "android16-6.12"],
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: the unshifted table is passed to unmap"),
      cite("android17-6.18", "__pkvm_load_el2_module: the shifted table is passed"),
      cite("measured", "textonly-fail: hyp BUG at mm.c:211, HYP panic, in both builds"),
    ],
  },
  {
    name: "a module that EL2 runs is not freed",
    sentence: PAGE.failedInit,
    clause: "DOC-14",
    documented: "The module stays in the kernel's list with its memory, and its init failed.",
    kernels:
      "They free the EL1 memory of a module whose init fails although EL2 owns and executes it.",
    on: ALL,
    source: [
      cite("linux", "do_init_module, kernel/module/main.c: references are not looked at"),
      cite("android14-6.1", "__pkvm_load_el2_module: no way back after success"),
    ],
  },
];

/** Whether a system keeps the promise although its branch does not. */
export const overridden = (config: Pick<SystemConfig, "documented">, name: OverrideName): boolean =>
  config.documented && OVERRIDES.some((override) => override.name === name);
