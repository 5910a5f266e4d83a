/* struct pkvm_el2_module: what the host knows about the EL2 half, in THIS_MODULE->arch.hyp. */
#ifndef __ASM_MODULE_H
#define __ASM_MODULE_H

#include <asm/module-layout.h>
#include <linux/build_bug.h>
#include <linux/types.h>

struct pkvm_module_ops;
struct hyp_event;
struct hyp_printk_fmt;

/*
 * Kernel addresses of a section's first byte and of the one after its last; both NULL if there is
 * none.
 */
struct pkvm_module_section {
	void *start;
	void *end;
};

/* One entry of .hyp.reloc: the distance from the entry to a slot that holds a kernel address. */
typedef s32 kvm_nvhe_reloc_t;

/*
 * android14-6.1: arch/arm64/include/asm/module.h. The later fields are those of facts about 6.6,
 * 6.12 and 6.18; NON-SPEC: their order in 6.6 and 6.18 is not known to us, the fields that the
 * macros below read are.
 */
struct pkvm_el2_module {
	struct pkvm_module_section text;
	struct pkvm_module_section bss;
	struct pkvm_module_section rodata;
	struct pkvm_module_section data;
#ifndef CONFIG_KMI_android14_6_1
	struct pkvm_module_section event_ids;
#ifndef CONFIG_KMI_android15_6_6
	struct pkvm_module_section patchable_function_entries;
#endif
	struct pkvm_module_section sections;
#ifndef CONFIG_KMI_android15_6_6
	void *hyp_va;
#endif
	struct hyp_event *hyp_events;
#ifndef CONFIG_KMI_android15_6_6
	struct hyp_printk_fmt *hyp_printk_fmts;
	unsigned int nr_hyp_events;
	unsigned int nr_hyp_printk_fmts;
#else
	unsigned int nr_hyp_events;
#endif
#endif
	kvm_nvhe_reloc_t *relocs;
#if defined(CONFIG_KMI_android16_6_12) || defined(CONFIG_KMI_android17_6_18)
	struct list_head node;
	struct list_head ext_symbols;
#endif
	unsigned int nr_relocs;
	int (*init)(const struct pkvm_module_ops *ops);
#ifdef CONFIG_KMI_android15_6_6
	unsigned long token;
#endif
};

#ifdef CONFIG_KMI_android14_6_1
static_assert(offsetof(struct pkvm_el2_module, relocs) == 64);
static_assert(offsetof(struct pkvm_el2_module, init) == 80);
static_assert(sizeof(struct pkvm_el2_module) == 88);
#endif

struct mod_arch_specific {
	struct pkvm_el2_module hyp;
};

#endif
