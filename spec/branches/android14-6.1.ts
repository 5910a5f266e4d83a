// android14-6.1, complete: measured on 6.1.145 in both builds.

import { cite } from "../sources.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO } from "../types/module.ts";
import { type Branch, type OpsSlot, reservedSlots, slot } from "./branch.ts";

/**
 * host_hcall[] in order. Up to __pkvm_prot_finalize, itself excepted, only until the host is
 * deprivileged.
 */
const HCALLS: readonly string[] = [
  "__kvm_hyp_init", // 0
  "__kvm_get_mdcr_el2",
  "__pkvm_init",
  "__pkvm_create_private_mapping",
  "__pkvm_cpu_set_vector",
  "__kvm_enable_ssbs",
  "__vgic_v3_init_lrs",
  "__vgic_v3_get_gic_config",
  "__kvm_flush_vm_context",
  "__kvm_tlb_flush_vmid_ipa",
  "__kvm_tlb_flush_vmid", // 10
  "__kvm_flush_cpu_context",
  "__pkvm_alloc_module_va",
  "__pkvm_map_module_page",
  "__pkvm_unmap_module_page",
  "__pkvm_init_module",
  "__pkvm_register_hcall",
  "__pkvm_prot_finalize",
  "__pkvm_host_share_hyp",
  "__pkvm_host_unshare_hyp",
  "__pkvm_host_map_guest", // 20
  "__kvm_adjust_pc",
  "__kvm_vcpu_run",
  "__kvm_timer_set_cntvoff",
  "__vgic_v3_save_vmcr_aprs",
  "__vgic_v3_restore_vmcr_aprs",
  "__pkvm_init_vm",
  "__pkvm_init_vcpu",
  "__pkvm_start_teardown_vm",
  "__pkvm_finalize_teardown_vm",
  "__pkvm_reclaim_dying_guest_page", // 30
  "__pkvm_vcpu_load",
  "__pkvm_vcpu_put",
  "__pkvm_vcpu_sync_state",
  "__pkvm_iommu_driver_init",
  "__pkvm_iommu_register",
  "__pkvm_iommu_pm_notify",
  "__pkvm_iommu_finalize",
  "__pkvm_load_tracing",
  "__pkvm_teardown_tracing",
  "__pkvm_enable_tracing", // 40
  "__pkvm_rb_swap_reader_page",
  "__pkvm_rb_update_footers",
  "__pkvm_enable_event",
];

/** struct pkvm_module_ops in order. */
const OPS: readonly OpsSlot[] = [
  slot(
    0,
    "create_private_mapping",
    "int (phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot, unsigned long *haddr)",
  ),
  slot(1, "alloc_module_va", "void *(u64 nr_pages)"),
  slot(2, "map_module_page", "int (u64 pfn, void *va, prot, bool is_protected)"),
  slot(3, "register_serial_driver", "int (void (*putc)(char))"),
  slot(4, "puts", "void (const char *)"),
  slot(5, "putx64", "void (u64)"),
  slot(6, "fixmap_map", "void *(phys_addr_t)"),
  slot(7, "fixmap_unmap", "void (void)"),
  slot(8, "linear_map_early", "void *(phys, size, prot)"),
  slot(9, "linear_unmap_early", "void (void *addr, size_t size)"),
  slot(10, "flush_dcache_to_poc", "void (void *, size_t)"),
  slot(11, "update_hcr_el2", "void (ulong set, ulong clear)"),
  slot(12, "update_hfgwtr_el2", "void (ulong set, ulong clear)"),
  slot(
    13,
    "register_host_perm_fault_handler",
    "int (int (*cb)(struct kvm_cpu_context *, u64 esr, u64 addr))",
  ),
  slot(14, "host_stage2_mod_prot", "int (u64 pfn, prot)"),
  slot(15, "host_stage2_get_leaf", "int (phys, kvm_pte_t *ptep, u32 *level)"),
  slot(16, "register_host_smc_handler", "int (bool (*cb)(struct kvm_cpu_context *))"),
  slot(17, "register_default_trap_handler", "int (bool (*cb)(struct kvm_cpu_context *))"),
  slot(18, "register_illegal_abt_notifier", "int (void (*cb)(struct kvm_cpu_context *))"),
  slot(19, "register_psci_notifier", "int (void (*cb)(enum, struct kvm_cpu_context *))"),
  slot(20, "register_hyp_panic_notifier", "int (void (*cb)(struct kvm_cpu_context *))"),
  slot(21, "host_donate_hyp", "int (u64 pfn, u64 nr_pages)"),
  slot(22, "hyp_donate_host", "int (u64 pfn, u64 nr_pages)"),
  slot(23, "host_share_hyp", "int (u64 pfn)"),
  slot(24, "host_unshare_hyp", "int (u64 pfn)"),
  slot(25, "pin_shared_mem", "int (void *from, void *to)"),
  slot(26, "unpin_shared_mem", "void (void *from, void *to)"),
  slot(27, "memcpy", "void *(void *, const void *, size_t)"),
  slot(28, "memset", "void *(void *, int, size_t)"),
  slot(29, "hyp_pa", "phys_addr_t (void *)"),
  slot(30, "hyp_va", "void *(phys_addr_t)"),
  slot(31, "kern_hyp_va", "unsigned long (unsigned long)"),
  slot(32, "host_stage2_mod_prot_range", "int (u64 pfn, prot, u64 nr_pages)"),
  ...reservedSlots(33, 63),
];

/** android14-6.1: the branch that every measured clause speaks of first. */
export const ANDROID14_6_1: Branch = {
  name: "android14-6.1",
  evidence: "measured",
  source: [
    cite(
      "measured",
      "host-hypercall-ids.android14-6.1.145: numbers 1 to 43, 128; index 44 is unknown in base",
    ),
    cite("android14-6.1", "host_hcall[], handle_host_hcall, hyp/nvhe/hyp-main.c"),
    cite("android14-6.1", "struct pkvm_module_ops, arch/arm64/include/asm/kvm_pkvm_module.h"),
    cite("android14-6.1", "finalize_pkvm, __pkvm_load_el2_module, arch/arm64/kvm/pkvm.c"),
  ],
  hcalls: HCALLS,
  hcallsEvidence: "measured",
  dynamicBase: 128,
  dynamicHcallMax: 128,
  ops: OPS,
  nullOps: [],
  mappedSections: [
    { name: ".hyp.text", prot: PAGE_HYP_EXEC },
    { name: ".hyp.bss", prot: PAGE_HYP },
    { name: ".hyp.rodata", prot: PAGE_HYP_RO },
    { name: ".hyp.data", prot: PAGE_HYP },
  ],
  handlerContext: "kvm_cpu_context",
  dispatcherSetsX0: true,
  unknownDynamicId: "answered NOT_SUPPORTED",
  hintMaskedBeforeDynamic: false,
  dynamicIdTruncated: true,
  finaliseTwice: "EPERM",
  reserveRefused: "EPERM",
  reserveFailed: "ENOMEM",
  unmapsFromUnshiftedTable: true,
  unmapOrder: "donate, unmap",
  clearedFirmwareStillAdvertised: false,
  dropFailure: "clear firmware",
  handlersPerType: 1,
  multiSlotCallbacks: [],
  loadTakesToken: true,
  initArgument: "function VA",
  privateAlignment: "size rounded up to a power of two",
  directRange: false,
  importsBetweenModules: false,
  closingCheck: "__pkvm_prot_finalize",
  dmaIsolatedBy: "pkvm_iommu_finalize",
  finalizeAsksKvmInitialised: false,
  smc: {
    evidence: "measured",
    ffa: "filtered",
    immediateRefused: false,
    upperBitsRefused: false,
    hintMasked: true,
    poisonsFirmware: true,
  },
};
