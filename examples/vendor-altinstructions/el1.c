/*
 * EL1 half: counts its calls with the instructions that suit the CPU.
 *
 * Shows .altinstructions, which the loader applies before it looks for .hyp.text: so it may change
 * the EL2 half's code as well, and must do it before that code is EL2's. Both versions do the same,
 * whichever one is kept.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>
#include "count.h"

int __kvm_nvhe_tally_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_tally_hvc(struct kvm_cpu_context *ctx);

static u64 loads;

static int __init vendor_altinstructions_init(void)
{
	unsigned long token;
	int ret;

	count(&loads, 1);
	ret = pkvm_load_el2_module(__kvm_nvhe_tally_init, &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_tally_hvc, token);
	if (ret >= 0)
		pr_info("vendor_altinstructions: %llu loads, tally %lu\n", loads,
			pkvm_el2_mod_call(ret, 3));
	return 0;
}
module_init(vendor_altinstructions_init);
MODULE_LICENSE("GPL");
