/*
 * EL1 half: registers the handler that adds, and tries it once.
 *
 * Shows the fixed number: 128 is the first hypercall of a module, as long as no other module was
 * loaded before. Then it is the other's, which is called with arguments that were not meant for it.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

#define SUM_HYPERCALL 128

int __kvm_nvhe_sum_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_sum(struct kvm_cpu_context *ctx);

static int __init fixed_hypercall_number_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_sum_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_sum, token);
	if (ret < 0)
		pr_err("fixed_hypercall_number: no hypercall for sum: %d\n", ret);
	else if (pkvm_el2_mod_call(SUM_HYPERCALL, 17, 34) != 51)
		pr_err("fixed_hypercall_number: EL2 cannot add\n");

	return 0;
}
module_init(fixed_hypercall_number_init);
MODULE_LICENSE("GPL");
