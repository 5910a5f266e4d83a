/* struct pkvm_module_ops of android15-6.6: 86 slots, callbacks get a struct user_pt_regs. */
#ifndef __ASM_PKVM_MODULE_OPS_ANDROID15_6_6_H
#define __ASM_PKVM_MODULE_OPS_ANDROID15_6_6_H

struct arm_smccc_1_2_regs;
struct arm_smccc_res;
struct iommu_iotlb_gather;
struct kvm_hyp_iommu;
struct kvm_hyp_iommu_domain;
struct kvm_hyp_req;
struct kvm_iommu_paddr_cache;

/* A function that a module registers as a hypercall. It sets regs[0] and regs[1] itself. */
typedef void (*dyn_hcall_t)(struct user_pt_regs *);

struct pkvm_module_ops {
	int (*create_private_mapping)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot,
		unsigned long *haddr);
	void *(*alloc_module_va)(u64 nr_pages);
	int (*map_module_page)(u64 pfn, void *va, enum kvm_pgtable_prot prot, bool is_protected);
	int (*register_serial_driver)(void (*hyp_putc_cb)(char));
	void (*putc)(char c);
	void (*puts)(const char *s);
	void (*putx64)(u64 num);
	void *(*fixmap_map)(phys_addr_t phys);
	void (*fixmap_unmap)(void);
	void *(*linear_map_early)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot);
	void (*linear_unmap_early)(void *addr, size_t size);
	void (*flush_dcache_to_poc)(void *addr, size_t size);
	void (*update_hcr_el2)(unsigned long set_mask, unsigned long clear_mask);
	void (*update_hfgwtr_el2)(unsigned long set_mask, unsigned long clear_mask);
	int (*register_host_perm_fault_handler)(int (*cb)(struct user_pt_regs *regs, u64 esr,
		u64 addr));
	int (*host_stage2_mod_prot)(u64 pfn, enum kvm_pgtable_prot prot, u64 nr_pages,
		bool update_iommu);
	int (*host_stage2_get_leaf)(phys_addr_t phys, kvm_pte_t *ptep, u32 *level);
	int (*register_host_smc_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_default_trap_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_illegal_abt_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_psci_notifier)(void (*cb)(enum pkvm_psci_notification,
		struct user_pt_regs *));
	int (*register_hyp_panic_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_unmask_serror)(bool (*unmask)(void), void (*mask)(void));
	int (*host_donate_hyp)(u64 pfn, u64 nr_pages, bool accept_mmio);
	int (*host_donate_hyp_prot)(u64 pfn, u64 nr_pages, bool accept_mmio,
		enum kvm_pgtable_prot prot);
	int (*hyp_donate_host)(u64 pfn, u64 nr_pages);
	int (*host_share_hyp)(u64 pfn);
	int (*host_unshare_hyp)(u64 pfn);
	int (*pin_shared_mem)(void *from, void *to);
	void (*unpin_shared_mem)(void *from, void *to);
	void *(*memcpy)(void *to, const void *from, size_t count);
	void *(*memset)(void *dst, int c, size_t count);
	phys_addr_t (*hyp_pa)(void *x);
	void *(*hyp_va)(phys_addr_t phys);
	unsigned long (*kern_hyp_va)(unsigned long x);
	void *(*hyp_alloc)(size_t size);
	int (*hyp_alloc_errno)(void);
	void (*hyp_free)(void *addr);
	void *(*iommu_donate_pages)(u8 order, bool request);
	void (*iommu_reclaim_pages)(void *p, u8 order);
	int (*iommu_request)(struct kvm_hyp_req *req);
	int (*iommu_init_device)(struct kvm_hyp_iommu *iommu);
	int (*udelay)(unsigned long usecs);
	u8 (*hyp_alloc_missing_donations)(void);
#ifdef CONFIG_LIST_HARDENED
	bool (*list_add_valid_or_report)(struct list_head *entry, struct list_head *prev,
		struct list_head *next);
	bool (*list_del_entry_valid_or_report)(struct list_head *entry);
#endif
	void (*iommu_iotlb_gather_add_page)(struct kvm_hyp_iommu_domain *domain,
		struct iommu_iotlb_gather *gather, unsigned long iova, size_t size);
	void (*register_hyp_event_ids)(unsigned long start, unsigned long end);
	void *(*tracing_reserve_entry)(unsigned long length);
	void (*tracing_commit_entry)(void);
	void *(*iommu_donate_pages_atomic)(u8 order);
	void (*iommu_reclaim_pages_atomic)(void *p, u8 order);
	int (*iommu_snapshot_host_stage2)(struct kvm_hyp_iommu_domain *domain);
	int (*hyp_smp_processor_id)(void);

	ANDROID_KABI_USE(1, void (*iommu_flush_unmap_cache)(struct kvm_iommu_paddr_cache *cache));
	ANDROID_KABI_USE(2, int (*host_stage2_enable_lazy_pte)(u64 addr, u64 nr_pages));
	ANDROID_KABI_USE(3, int (*host_stage2_disable_lazy_pte)(u64 addr, u64 nr_pages));
	ANDROID_KABI_USE(4,
		int (*register_guest_smc_handler)(bool (*cb)(struct arm_smccc_1_2_regs *,
		struct arm_smccc_res *, pkvm_handle_t), pkvm_handle_t));
	/* Reserved before the newer KMI updates of the branch. */
	ANDROID_KABI_USE(5, int (*guest_stage2_pa)(pkvm_handle_t handle, u64 ipa,
		phys_addr_t *phys));
	ANDROID_KABI_RESERVE_RANGE(6, 32);
};

PKVM_OPS_AT(0, create_private_mapping);
PKVM_OPS_AT(1, alloc_module_va);
PKVM_OPS_AT(2, map_module_page);
PKVM_OPS_AT(3, register_serial_driver);
PKVM_OPS_AT(4, putc);
PKVM_OPS_AT(5, puts);
PKVM_OPS_AT(6, putx64);
PKVM_OPS_AT(7, fixmap_map);
PKVM_OPS_AT(8, fixmap_unmap);
PKVM_OPS_AT(9, linear_map_early);
PKVM_OPS_AT(10, linear_unmap_early);
PKVM_OPS_AT(11, flush_dcache_to_poc);
PKVM_OPS_AT(12, update_hcr_el2);
PKVM_OPS_AT(13, update_hfgwtr_el2);
PKVM_OPS_AT(14, register_host_perm_fault_handler);
PKVM_OPS_AT(15, host_stage2_mod_prot);
PKVM_OPS_AT(16, host_stage2_get_leaf);
PKVM_OPS_AT(17, register_host_smc_handler);
PKVM_OPS_AT(18, register_default_trap_handler);
PKVM_OPS_AT(19, register_illegal_abt_notifier);
PKVM_OPS_AT(20, register_psci_notifier);
PKVM_OPS_AT(21, register_hyp_panic_notifier);
PKVM_OPS_AT(22, register_unmask_serror);
PKVM_OPS_AT(23, host_donate_hyp);
PKVM_OPS_AT(24, host_donate_hyp_prot);
PKVM_OPS_AT(25, hyp_donate_host);
PKVM_OPS_AT(26, host_share_hyp);
PKVM_OPS_AT(27, host_unshare_hyp);
PKVM_OPS_AT(28, pin_shared_mem);
PKVM_OPS_AT(29, unpin_shared_mem);
PKVM_OPS_AT(30, memcpy);
PKVM_OPS_AT(31, memset);
PKVM_OPS_AT(32, hyp_pa);
PKVM_OPS_AT(33, hyp_va);
PKVM_OPS_AT(34, kern_hyp_va);
PKVM_OPS_AT(35, hyp_alloc);
PKVM_OPS_AT(36, hyp_alloc_errno);
PKVM_OPS_AT(37, hyp_free);
PKVM_OPS_AT(38, iommu_donate_pages);
PKVM_OPS_AT(39, iommu_reclaim_pages);
PKVM_OPS_AT(40, iommu_request);
PKVM_OPS_AT(41, iommu_init_device);
PKVM_OPS_AT(42, udelay);
PKVM_OPS_AT(43, hyp_alloc_missing_donations);
#ifdef CONFIG_LIST_HARDENED
PKVM_OPS_AT(44, list_add_valid_or_report);
PKVM_OPS_AT(45, list_del_entry_valid_or_report);
#endif
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(46), iommu_iotlb_gather_add_page);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(47), register_hyp_event_ids);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(48), tracing_reserve_entry);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(49), tracing_commit_entry);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(50), iommu_donate_pages_atomic);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(51), iommu_reclaim_pages_atomic);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(52), iommu_snapshot_host_stage2);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(53), hyp_smp_processor_id);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(54), iommu_flush_unmap_cache);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(55), host_stage2_enable_lazy_pte);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(56), host_stage2_disable_lazy_pte);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(57), register_guest_smc_handler);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(58), guest_stage2_pa);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(59), android_kabi_reserved6_to_32);
PKVM_OPS_SLOTS(PKVM_OPS_AFTER_LIST(86));

#endif
