/* EL1 half: loads the filter and registers the handler that reads its counters. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_filter_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_filter_counters(struct kvm_cpu_context *ctx);

static int __init smc_filter_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_filter_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_filter_counters, token);
	if (ret < 0)
		pr_err("smc_filter: no hypercall for filter_counters: %d\n", ret);
	else
		pr_info("smc_filter: filter_counters is hypercall %d\n", ret);

	return 0;
}
module_init(smc_filter_init);
MODULE_LICENSE("GPL");
