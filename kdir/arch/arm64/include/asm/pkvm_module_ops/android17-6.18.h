/* struct pkvm_module_ops of android17-6.18: 94 slots, callbacks get a struct user_pt_regs. */
#ifndef __ASM_PKVM_MODULE_OPS_ANDROID17_6_18_H
#define __ASM_PKVM_MODULE_OPS_ANDROID17_6_18_H

struct arm_smccc_1_2_regs;
struct iommu_iotlb_gather;
struct kvm_hyp_iommu;
struct kvm_hyp_iommu_domain;
struct kvm_power_domain;
struct kvm_power_domain_ops;

#include <asm/pkvm_module_ops/later-types.h>

/*
 * What a guest SMC handler answers; the first one that says other than NOT_HANDLED ends the walk.
 */
enum pkvm_smc_handler_ret {
	PKVM_SMC_HANDLED = 0,
	PKVM_SMC_NOT_HANDLED = 1,
	PKVM_SMC_NEED_TOPUP = 2,
};

/* What a module does when the hypervisor moves a device between host and guest. */
struct pkvm_device_ops {
	int (*reset)(void *cookie, bool host_to_guest);
	int (*power_lock)(void *cookie, bool lock);
	ANDROID_KABI_RESERVE_RANGE(1, 8);
};
static_assert(sizeof(struct pkvm_device_ops) == 80);

/* A function that a module registers as a hypercall. It sets regs[0] and regs[1] itself. */
typedef void (*dyn_hcall_t)(struct user_pt_regs *);

struct pkvm_module_ops {
	int (*create_private_mapping)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot,
		unsigned long *haddr);
	void *(*alloc_module_va)(u64 nr_pages);
	/* Declared, but not in the kernel's table: the slot holds NULL and a call faults at EL2. */
	int (*map_module_page)(u64 pfn, void *va, enum kvm_pgtable_prot prot, bool is_protected);
	int (*register_serial_driver)(void (*hyp_putc_cb)(char));
	void (*putc)(char c);
	void (*puts)(const char *s);
	void (*putx64)(u64 num);
	void *(*fixmap_map)(phys_addr_t phys);
	void (*fixmap_unmap)(void);
	void *(*fixblock_map)(phys_addr_t phys, size_t *size);
	void (*fixblock_unmap)(void);
	void *(*linear_map_early)(phys_addr_t phys, size_t size, enum kvm_pgtable_prot prot);
	void (*linear_unmap_early)(void *addr, size_t size);
	void (*flush_dcache_to_poc)(void *addr, size_t size);
	void (*update_hcr_el2)(unsigned long set_mask, unsigned long clear_mask);
	void (*update_hfgwtr_el2)(unsigned long set_mask, unsigned long clear_mask);
	int (*register_host_perm_fault_handler)(int (*cb)(struct user_pt_regs *regs, u64 esr,
		u64 addr));
	int (*host_stage2_mod_prot)(u64 pfn, enum kvm_pgtable_prot prot, u64 nr_pages,
		bool update_iommu);
	int (*host_stage2_get_leaf)(phys_addr_t phys, kvm_pte_t *ptep, s8 *level);
	int (*register_host_smc_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_guest_smc_handler)(enum pkvm_smc_handler_ret (*cb)(
		struct arm_smccc_1_2_regs *regs, struct arm_smccc_1_2_regs *res,
		pkvm_handle_t handle));
	int (*register_default_trap_handler)(bool (*cb)(struct user_pt_regs *));
	int (*register_illegal_abt_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_psci_notifier)(void (*cb)(enum pkvm_psci_notification,
		struct user_pt_regs *));
	int (*register_hyp_panic_notifier)(void (*cb)(struct user_pt_regs *));
	int (*register_unmask_serror)(bool (*unmask)(void), void (*mask)(void));
	int (*host_donate_hyp)(u64 pfn, u64 nr_pages);
	int (*host_donate_sglist_hyp)(struct pkvm_sglist_page *sglist, size_t nr_pages);
	int (*hyp_donate_host)(u64 pfn, u64 nr_pages);
	int (*host_share_hyp)(u64 pfn);
	int (*host_unshare_hyp)(u64 pfn);
	int (*pin_shared_mem)(void *from, void *to);
	void (*unpin_shared_mem)(void *from, void *to);
	void *(*memcpy)(void *to, const void *from, size_t count);
	void *(*memset)(void *dst, int c, size_t count);
	void *(*tracing_reserve_entry)(unsigned long length);
	void (*tracing_commit_entry)(void);
	void (*tracing_mod_hyp_printk)(u16 fmt_id, u64 a, u64 b, u64 c, u64 d);
	int (*map_module_pages)(u64 pfn, void *va, u64 nr_pages, enum kvm_pgtable_prot prot,
		bool is_protected);
	int (*unmap_module_pages)(u64 pfn, void *va, u64 nr_pages);
	int (*hyp_smp_processor_id)(void);
	void *(*iommu_donate_pages)(u8 order, int flags);
	void (*iommu_reclaim_pages)(void *p, u8 order);
	void *(*iommu_donate_pages_atomic)(u8 order);
	void (*iommu_reclaim_pages_atomic)(void *p);
	u64 (*get_time)(void);
	int (*host_donate_hyp_prot)(u64 pfn, u64 nr_pages, bool accept_mmio,
		enum kvm_pgtable_prot prot);
#ifdef CONFIG_LIST_HARDENED
	bool (*list_add_valid_or_report)(struct list_head *entry, struct list_head *prev,
		struct list_head *next);
	bool (*list_del_entry_valid_or_report)(struct list_head *entry);
#endif
	void *(*hyp_alloc)(size_t size);
	void (*hyp_free)(void *addr);
	void (*iommu_iotlb_gather_add_page)(struct kvm_hyp_iommu_domain *domain,
		struct iommu_iotlb_gather *gather, unsigned long iova, size_t size);
	int (*pkvm_use_dma)(phys_addr_t phys, size_t size);
	int (*pkvm_unuse_dma)(phys_addr_t phys, size_t size);
	int (*init_hvc_pd)(struct kvm_power_domain *pd, const struct kvm_power_domain_ops *ops);
	int (*device_register_ops)(u64 phys, const struct pkvm_device_ops *ops, void *cookie);
	int (*iommu_register_pviommu_drv)(pkvm_handle_t drv_id);
	int (*register_guest_trng_ops)(const struct pkvm_module_trng_ops *ops);
	int (*guest_accept_module_prot_page)(u64 ipa, u64 nr_pages);
	int (*register_guest_accept_module_owned_handler)(int (*cb)(u64 phys, u64 ipa, u64 size,
		pkvm_handle_t handle));
	void (*arm_smccc_1_2_smc)(const struct arm_smccc_1_2_regs *args,
		struct arm_smccc_1_2_regs *res);
	int (*request_hyp_alloc)(void);

	ANDROID_KABI_USE(1, int (*host_stage2_set_owned)(u64 pfn, u64 nr_pages, bool owned));
	ANDROID_KABI_RESERVE_RANGE(2, 32);
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
PKVM_OPS_AT(9, fixblock_map);
PKVM_OPS_AT(10, fixblock_unmap);
PKVM_OPS_AT(11, linear_map_early);
PKVM_OPS_AT(12, linear_unmap_early);
PKVM_OPS_AT(13, flush_dcache_to_poc);
PKVM_OPS_AT(14, update_hcr_el2);
PKVM_OPS_AT(15, update_hfgwtr_el2);
PKVM_OPS_AT(16, register_host_perm_fault_handler);
PKVM_OPS_AT(17, host_stage2_mod_prot);
PKVM_OPS_AT(18, host_stage2_get_leaf);
PKVM_OPS_AT(19, register_host_smc_handler);
PKVM_OPS_AT(20, register_guest_smc_handler);
PKVM_OPS_AT(21, register_default_trap_handler);
PKVM_OPS_AT(22, register_illegal_abt_notifier);
PKVM_OPS_AT(23, register_psci_notifier);
PKVM_OPS_AT(24, register_hyp_panic_notifier);
PKVM_OPS_AT(25, register_unmask_serror);
PKVM_OPS_AT(26, host_donate_hyp);
PKVM_OPS_AT(27, host_donate_sglist_hyp);
PKVM_OPS_AT(28, hyp_donate_host);
PKVM_OPS_AT(29, host_share_hyp);
PKVM_OPS_AT(30, host_unshare_hyp);
PKVM_OPS_AT(31, pin_shared_mem);
PKVM_OPS_AT(32, unpin_shared_mem);
PKVM_OPS_AT(33, memcpy);
PKVM_OPS_AT(34, memset);
PKVM_OPS_AT(35, tracing_reserve_entry);
PKVM_OPS_AT(36, tracing_commit_entry);
PKVM_OPS_AT(37, tracing_mod_hyp_printk);
PKVM_OPS_AT(38, map_module_pages);
PKVM_OPS_AT(39, unmap_module_pages);
PKVM_OPS_AT(40, hyp_smp_processor_id);
PKVM_OPS_AT(41, iommu_donate_pages);
PKVM_OPS_AT(42, iommu_reclaim_pages);
PKVM_OPS_AT(43, iommu_donate_pages_atomic);
PKVM_OPS_AT(44, iommu_reclaim_pages_atomic);
PKVM_OPS_AT(45, get_time);
PKVM_OPS_AT(46, host_donate_hyp_prot);
#ifdef CONFIG_LIST_HARDENED
PKVM_OPS_AT(47, list_add_valid_or_report);
PKVM_OPS_AT(48, list_del_entry_valid_or_report);
#endif
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(49), hyp_alloc);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(50), hyp_free);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(51), iommu_iotlb_gather_add_page);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(52), pkvm_use_dma);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(53), pkvm_unuse_dma);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(54), init_hvc_pd);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(55), device_register_ops);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(56), iommu_register_pviommu_drv);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(57), register_guest_trng_ops);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(58), guest_accept_module_prot_page);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(59), register_guest_accept_module_owned_handler);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(60), arm_smccc_1_2_smc);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(61), request_hyp_alloc);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(62), host_stage2_set_owned);
PKVM_OPS_AT(PKVM_OPS_AFTER_LIST(63), android_kabi_reserved2_to_32);
PKVM_OPS_SLOTS(PKVM_OPS_AFTER_LIST(94));

#endif
