// The operations of struct pkvm_module_ops in slot order, for each KMI: what kdir must say.
// Source: asm/kvm_pkvm_module.h of the common kernels' branches, read with CONFIG_LIST_HARDENED;
// written down apart from the headers, so that each checks the other.

/** One KMI's table: names of the used slots in order, and the size of the whole structure. */
export interface OpsTable {
  readonly kmi: string;
  readonly operations: readonly string[];
  readonly slotCount: number;
  readonly sizeBytes: number;
}

/** The two operations that are there only with CONFIG_LIST_HARDENED (android15-6.6 and later). */
export const LIST_OPERATIONS: readonly string[] = [
  "list_add_valid_or_report",
  "list_del_entry_valid_or_report",
];

const words = (text: string): readonly string[] => text.trim().split(/\s+/);

/** Source: asm/kvm_pkvm_module.h, android14-6.1 (6.1.145) to android17-6.18. */
export const OPS_TABLES: readonly OpsTable[] = [
  {
    kmi: "android14-6.1",
    operations: words(`
      create_private_mapping alloc_module_va map_module_page register_serial_driver puts
      putx64 fixmap_map fixmap_unmap linear_map_early linear_unmap_early flush_dcache_to_poc
      update_hcr_el2 update_hfgwtr_el2 register_host_perm_fault_handler host_stage2_mod_prot
      host_stage2_get_leaf register_host_smc_handler register_default_trap_handler
      register_illegal_abt_notifier register_psci_notifier register_hyp_panic_notifier
      host_donate_hyp hyp_donate_host host_share_hyp host_unshare_hyp pin_shared_mem
      unpin_shared_mem memcpy memset hyp_pa hyp_va kern_hyp_va host_stage2_mod_prot_range
    `),
    slotCount: 64,
    sizeBytes: 512,
  },
  {
    kmi: "android15-6.6",
    operations: words(`
      create_private_mapping alloc_module_va map_module_page register_serial_driver putc puts
      putx64 fixmap_map fixmap_unmap linear_map_early linear_unmap_early flush_dcache_to_poc
      update_hcr_el2 update_hfgwtr_el2 register_host_perm_fault_handler host_stage2_mod_prot
      host_stage2_get_leaf register_host_smc_handler register_default_trap_handler
      register_illegal_abt_notifier register_psci_notifier register_hyp_panic_notifier
      register_unmask_serror host_donate_hyp host_donate_hyp_prot hyp_donate_host
      host_share_hyp host_unshare_hyp pin_shared_mem unpin_shared_mem memcpy memset hyp_pa
      hyp_va kern_hyp_va hyp_alloc hyp_alloc_errno hyp_free iommu_donate_pages
      iommu_reclaim_pages iommu_request iommu_init_device udelay hyp_alloc_missing_donations
      list_add_valid_or_report list_del_entry_valid_or_report iommu_iotlb_gather_add_page
      register_hyp_event_ids tracing_reserve_entry tracing_commit_entry
      iommu_donate_pages_atomic iommu_reclaim_pages_atomic iommu_snapshot_host_stage2
      hyp_smp_processor_id iommu_flush_unmap_cache host_stage2_enable_lazy_pte
      host_stage2_disable_lazy_pte register_guest_smc_handler guest_stage2_pa
    `),
    slotCount: 86,
    sizeBytes: 688,
  },
  {
    kmi: "android16-6.12",
    operations: words(`
      create_private_mapping alloc_module_va map_module_page register_serial_driver putc puts
      putx64 fixmap_map fixmap_unmap fixblock_map fixblock_unmap linear_map_early
      linear_unmap_early flush_dcache_to_poc update_hcr_el2 update_hfgwtr_el2
      register_host_perm_fault_handler host_stage2_mod_prot host_stage2_get_leaf
      host_stage2_enable_lazy_pte host_stage2_disable_lazy_pte register_host_smc_handler
      register_guest_smc_handler register_default_trap_handler register_illegal_abt_notifier
      register_psci_notifier register_hyp_panic_notifier register_unmask_serror
      host_donate_hyp host_donate_hyp_prot host_donate_sglist_hyp hyp_donate_host
      host_share_hyp host_unshare_hyp pin_shared_mem unpin_shared_mem memcpy memset hyp_pa
      hyp_va kern_hyp_va tracing_reserve_entry tracing_commit_entry tracing_mod_hyp_printk
      hyp_alloc hyp_alloc_errno hyp_free hyp_alloc_missing_donations iommu_donate_pages
      iommu_reclaim_pages iommu_init_device udelay iommu_iotlb_gather_add_page pkvm_unuse_dma
      list_add_valid_or_report list_del_entry_valid_or_report iommu_snapshot_host_stage2
      iommu_donate_pages_atomic iommu_reclaim_pages_atomic hyp_smp_processor_id
      device_register_reset register_guest_trng_ops map_module_pages unmap_module_pages
      request_hyp_alloc
    `),
    slotCount: 93,
    sizeBytes: 744,
  },
  {
    kmi: "android17-6.18",
    operations: words(`
      create_private_mapping alloc_module_va map_module_page register_serial_driver putc puts
      putx64 fixmap_map fixmap_unmap fixblock_map fixblock_unmap linear_map_early
      linear_unmap_early flush_dcache_to_poc update_hcr_el2 update_hfgwtr_el2
      register_host_perm_fault_handler host_stage2_mod_prot host_stage2_get_leaf
      register_host_smc_handler register_guest_smc_handler register_default_trap_handler
      register_illegal_abt_notifier register_psci_notifier register_hyp_panic_notifier
      register_unmask_serror host_donate_hyp host_donate_sglist_hyp hyp_donate_host
      host_share_hyp host_unshare_hyp pin_shared_mem unpin_shared_mem memcpy memset
      tracing_reserve_entry tracing_commit_entry tracing_mod_hyp_printk map_module_pages
      unmap_module_pages hyp_smp_processor_id iommu_donate_pages iommu_reclaim_pages
      iommu_donate_pages_atomic iommu_reclaim_pages_atomic get_time host_donate_hyp_prot
      list_add_valid_or_report list_del_entry_valid_or_report hyp_alloc hyp_free
      iommu_iotlb_gather_add_page pkvm_use_dma pkvm_unuse_dma init_hvc_pd device_register_ops
      iommu_register_pviommu_drv register_guest_trng_ops guest_accept_module_prot_page
      register_guest_accept_module_owned_handler arm_smccc_1_2_smc request_hyp_alloc
      host_stage2_set_owned
    `),
    slotCount: 94,
    sizeBytes: 752,
  },
];
