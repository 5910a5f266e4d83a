/* The vendor module API of pKVM: pkvm_module_ops for EL2; load, register and call for EL1. */
#ifndef __ARM64_KVM_PKVM_MODULE_H__
#define __ARM64_KVM_PKVM_MODULE_H__

#include <asm/hyp_image.h>
#include <asm/kvm_asm.h>
#include <asm/kvm_host.h>
#include <asm/kvm_pgtable.h>
#include <asm/module.h>
#include <linux/android_kabi.h>
#include <linux/arm-smccc.h>
#include <linux/bug.h>
#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/types.h>

enum pkvm_psci_notification {
	PKVM_PSCI_CPU_SUSPEND = 0,
	PKVM_PSCI_SYSTEM_SUSPEND = 1,
	PKVM_PSCI_CPU_ENTRY = 2,
};

/*
 * Slot n of the table lies at byte 8 * n; two slots are there only with CONFIG_LIST_HARDENED, and
 * all after them move.
 */
#define PKVM_OPS_AT(slot, member) \
	static_assert(offsetof(struct pkvm_module_ops, member) == 8 * (slot))
#define PKVM_OPS_SLOTS(count) static_assert(sizeof(struct pkvm_module_ops) == 8 * (count))
#ifdef CONFIG_LIST_HARDENED
#define PKVM_OPS_AFTER_LIST(slot) (slot)
#else
#define PKVM_OPS_AFTER_LIST(slot) ((slot) - 2)
#endif

/*
 * Each KMI has its own table; a module that was built for another one calls the wrong functions,
 * unchecked.
 */
#if defined(CONFIG_KMI_android14_6_1)
#include <asm/pkvm_module_ops/android14-6.1.h>
#elif defined(CONFIG_KMI_android15_6_6)
#include <asm/pkvm_module_ops/android15-6.6.h>
#elif defined(CONFIG_KMI_android16_6_12)
#include <asm/pkvm_module_ops/android16-6.12.h>
#elif defined(CONFIG_KMI_android17_6_18)
#include <asm/pkvm_module_ops/android17-6.18.h>
#endif

#if defined(MODULE) && !defined(__KVM_NVHE_HYPERVISOR__)
#include <linux/module.h>

/* The two functions of the kernel that the EL1 half of every module imports. */
#ifdef CONFIG_KMI_android17_6_18
int __pkvm_load_el2_module(struct module *module);
#else
int __pkvm_load_el2_module(struct module *module, unsigned long *token);
#endif
int __pkvm_register_el2_call(unsigned long hfn_hyp_va);

/*
 * The EL2 address of something in the module's EL2 half. android14-6.1: the token is the EL2
 * address of .hyp.text; 15-6.6: of the first section of the module; 16-6.12 and later: the kernel
 * keeps both addresses, and a token is ignored or gone.
 */
static __always_inline unsigned long
__pkvm_el2_mod_va(const struct module *module, unsigned long kern_va, unsigned long token)
{
#if defined(CONFIG_KMI_android14_6_1)
	return token + (kern_va - (unsigned long)module->arch.hyp.text.start);
#elif defined(CONFIG_KMI_android15_6_6)
	return token + (kern_va - (unsigned long)module->arch.hyp.sections.start);
#else
	const struct pkvm_el2_module *hyp = &module->arch.hyp;

	WARN_ON(kern_va < (unsigned long)hyp->sections.start ||
		kern_va >= (unsigned long)hyp->sections.end);
	return (unsigned long)hyp->hyp_va + (kern_va - (unsigned long)hyp->sections.start);
#endif
}

#ifdef CONFIG_KMI_android17_6_18
#define pkvm_el2_mod_va(kern_va) __pkvm_el2_mod_va(THIS_MODULE, (unsigned long)(kern_va), 0)
#define pkvm_register_el2_mod_call(hfn) __pkvm_register_el2_call(pkvm_el2_mod_va(hfn))
#define pkvm_load_el2_module(init_fn)			\
	({						\
		THIS_MODULE->arch.hyp.init = (init_fn);	\
		__pkvm_load_el2_module(THIS_MODULE);	\
	})
#else
#define pkvm_el2_mod_va(kern_va, token) \
	__pkvm_el2_mod_va(THIS_MODULE, (unsigned long)(kern_va), (token))
#define pkvm_register_el2_mod_call(hfn, token) __pkvm_register_el2_call(pkvm_el2_mod_va(hfn, token))
#define pkvm_load_el2_module(init_fn, token)			\
	({							\
		THIS_MODULE->arch.hyp.init = (init_fn);		\
		__pkvm_load_el2_module(THIS_MODULE, (token));	\
	})
#endif

/*
 * Calls a registered function: up to seven arguments in x1..x7, the result in x1; x0 tells whether
 * it was found.
 */
#define pkvm_el2_mod_call(id, ...)							\
	({										\
		struct arm_smccc_res pkvm_call_res;					\
		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(id), ##__VA_ARGS__, &pkvm_call_res);	\
		WARN_ON(pkvm_call_res.a0 != SMCCC_RET_SUCCESS);				\
		pkvm_call_res.a1;							\
	})

#if defined(CONFIG_KMI_android15_6_6) || defined(CONFIG_KMI_android16_6_12)
/* The same with all four results. */
#define pkvm_el2_mod_call_smccc(id, ...)						\
	({										\
		struct arm_smccc_res pkvm_call_res;					\
		arm_smccc_1_1_hvc(KVM_HOST_SMCCC_ID(id), ##__VA_ARGS__, &pkvm_call_res);	\
		pkvm_call_res;								\
	})
#endif

#endif /* MODULE, EL1 */

#endif
