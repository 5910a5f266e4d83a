/* struct pkvm_module_ops of android14-6.1: 64 slots, callbacks get a struct kvm_cpu_context. */
#ifndef __ASM_PKVM_MODULE_OPS_ANDROID14_6_1_H
#define __ASM_PKVM_MODULE_OPS_ANDROID14_6_1_H

struct pkvm_module_ops {
	int (*create_private_mapping)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot,
		unsigned long *haddr);
	void *(*alloc_module_va)(u64 nr_pages);
	int (*map_module_page)(u64 pfn, void *va, enum kvm_pgtable_prot prot, bool is_protected);
	int (*register_serial_driver)(void (*hyp_putc_cb)(char));
	void (*puts)(const char *s);
	void (*putx64)(u64 num);
	void *(*fixmap_map)(phys_addr_t phys);
	void (*fixmap_unmap)(void);
	void *(*linear_map_early)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot);
	void (*linear_unmap_early)(void *addr, size_t size);
	void (*flush_dcache_to_poc)(void *addr, size_t size);
	void (*update_hcr_el2)(unsigned long set_mask, unsigned long clear_mask);
	void (*update_hfgwtr_el2)(unsigned long set_mask, unsigned long clear_mask);
	int (*register_host_perm_fault_handler)(int (*cb)(struct kvm_cpu_context *ctxt, u64 esr,
		u64 addr));
	int (*host_stage2_mod_prot)(u64 pfn, enum kvm_pgtable_prot prot);
	int (*host_stage2_get_leaf)(phys_addr_t phys, kvm_pte_t *ptep, u32 *level);
	int (*register_host_smc_handler)(bool (*cb)(struct kvm_cpu_context *));
	int (*register_default_trap_handler)(bool (*cb)(struct kvm_cpu_context *));
	int (*register_illegal_abt_notifier)(void (*cb)(struct kvm_cpu_context *));
	int (*register_psci_notifier)(void (*cb)(enum pkvm_psci_notification,
		struct kvm_cpu_context *));
	int (*register_hyp_panic_notifier)(void (*cb)(struct kvm_cpu_context *));
	int (*host_donate_hyp)(u64 pfn, u64 nr_pages);
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

	ANDROID_KABI_USE(1, int (*host_stage2_mod_prot_range)(u64 pfn, enum kvm_pgtable_prot prot,
		u64 nr_pages));
	ANDROID_KABI_RESERVE_RANGE(2, 32);
};

PKVM_OPS_AT(0, create_private_mapping);
PKVM_OPS_AT(1, alloc_module_va);
PKVM_OPS_AT(2, map_module_page);
PKVM_OPS_AT(3, register_serial_driver);
PKVM_OPS_AT(4, puts);
PKVM_OPS_AT(5, putx64);
PKVM_OPS_AT(6, fixmap_map);
PKVM_OPS_AT(7, fixmap_unmap);
PKVM_OPS_AT(8, linear_map_early);
PKVM_OPS_AT(9, linear_unmap_early);
PKVM_OPS_AT(10, flush_dcache_to_poc);
PKVM_OPS_AT(11, update_hcr_el2);
PKVM_OPS_AT(12, update_hfgwtr_el2);
PKVM_OPS_AT(13, register_host_perm_fault_handler);
PKVM_OPS_AT(14, host_stage2_mod_prot);
PKVM_OPS_AT(15, host_stage2_get_leaf);
PKVM_OPS_AT(16, register_host_smc_handler);
PKVM_OPS_AT(17, register_default_trap_handler);
PKVM_OPS_AT(18, register_illegal_abt_notifier);
PKVM_OPS_AT(19, register_psci_notifier);
PKVM_OPS_AT(20, register_hyp_panic_notifier);
PKVM_OPS_AT(21, host_donate_hyp);
PKVM_OPS_AT(22, hyp_donate_host);
PKVM_OPS_AT(23, host_share_hyp);
PKVM_OPS_AT(24, host_unshare_hyp);
PKVM_OPS_AT(25, pin_shared_mem);
PKVM_OPS_AT(26, unpin_shared_mem);
PKVM_OPS_AT(27, memcpy);
PKVM_OPS_AT(28, memset);
PKVM_OPS_AT(29, hyp_pa);
PKVM_OPS_AT(30, hyp_va);
PKVM_OPS_AT(31, kern_hyp_va);
PKVM_OPS_AT(32, host_stage2_mod_prot_range);
PKVM_OPS_AT(33, android_kabi_reserved2_to_32);
PKVM_OPS_SLOTS(64);

#endif
