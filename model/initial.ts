// The system before the kernel has read its command line.

import type { FrameRange } from "../spec/branches/branch.ts";
import { branchOf } from "../spec/branches/branches.ts";
import { hypVa, pfn } from "../spec/types/address.ts";
import type { Hyp, SystemConfig } from "../spec/types/hyp.ts";
import { HYP_PAGE } from "../spec/types/page.ts";

/**
 * The first free address of EL2's private range after pKVM's own boot.
 * Source: measured on android14-6.1.145, where a one-page module loaded alone lands here.
 */
export const PRIVATE_FIRST_FREE = hypVa(0x20_0000_a000n);

/**
 * One beyond the last address of EL2: 39 bits. Source: measured kernel, CONFIG_ARM64_VA_BITS=39.
 */
export const HYP_VA_LIMIT = 1n << 39n;

/** The first address of the private range; below it lies nothing of ours. */
export const PRIVATE_BASE = hypVa(0x20_0000_0000n);

/**
 * Where the private range ends and the vmemmap begins: the upper half of the private quarter.
 * Source: derived for 39 VA bits, pkvm_create_mappings and hyp_create_idmap, hyp/nvhe/mm.c
 * (android14-6.1).
 */
export const PRIVATE_LIMIT = hypVa(0x30_0000_0000n);

/** The pages that the hypervisor of a branch keeps for itself. */
export const carveOutOf = (config: Pick<SystemConfig, "branch">): FrameRange =>
  branchOf(config).layout.carveOut;

/** What is carved out on every measured machine. */
export const CARVED_OUT_ALWAYS = { first: pfn(0x7f400), last: pfn(0x7fbff) } as const;

/** The first and the last page of memory of the measured machine: 1 GiB at 0x40000000. */
export const MEMORY = { first: pfn(0x40000), last: pfn(0x7ffff) } as const;

/**
 * Where the firmware of guests lies: one region that the kernel has no mapping of.
 * Source: measured, the fw-* traces: 0x78000000. CHOICE: every size starts there.
 */
export const PVMFW_FIRST = pfn(0x7_8000);

/** The state of the carve-out is not kept page by page: `pageOf` answers for it. */
export const CARVE_OUT_PAGE = HYP_PAGE;

/**
 * The system at power-on. `firmwareBytes` is the size of the pvmfw region in the device tree, 0 for
 * none.
 */
export function initialHyp(config: SystemConfig, firmwareBytes: number): Hyp {
  return {
    config,
    boot: {
      mode: "vhe",
      protectedModules: "",
      hypUp: false,
      key: false,
      finalised: new Array<boolean>(config.cpuCount).fill(false),
      earlyModulesDone: false,
      loadFailure: undefined,
      requestedNames: [],
      requested: undefined,
      iommuFinalised: false,
      iommuClosed: false,
    },
    firmware: {
      regionBytes: firmwareBytes,
      content: firmwareBytes > 0 ? "image" : "zero",
      advertisedBytes: firmwareBytes,
    },
    modules: new Map(),
    el2: { nextFree: PRIVATE_FIRST_FREE, reservations: [], mappings: new Map(), earlyBytes: 0 },
    dispatch: { dynamicHcalls: [], callbacks: {}, further: {} },
    psci: {
      power: new Array<"on">(config.cpuCount).fill("on"),
      booting: new Array<undefined>(config.cpuCount).fill(undefined),
      memProtectLocked: false,
    },
    controls: Array.from({ length: config.cpuCount }, () => ({
      hcrSet: 0n,
      hcrClear: 0n,
      hfgwtr: 0n,
    })),
    pages: new Map(),
    vms: new Map(),
    vmTable: new Map(),
    reservedHandles: new Set(),
    loaded: new Array<undefined>(config.cpuCount).fill(undefined),
    memProtect: 0,
    vmcr: new Map(),
    end: undefined,
  };
}
