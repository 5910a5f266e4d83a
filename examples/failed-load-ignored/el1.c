/*
 * EL1 half: loads the EL2 half and registers its handler.
 *
 * Shows the failed load that is ignored: after the host is deprivileged the load is -EOPNOTSUPP,
 * the module is there all the same, and its users call a hypercall that was never registered.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_meter_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_meter_read(struct kvm_cpu_context *ctx);

static int meter_hypercall;

static int __init failed_load_ignored_init(void)
{
	unsigned long token = 0;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_meter_init, &token);
	if (ret)
		pr_err("failed_load_ignored: no EL2 half: %d\n", ret);
	else
		meter_hypercall = pkvm_register_el2_mod_call(__kvm_nvhe_meter_read, token);
	return 0;
} /* with or without */
module_init(failed_load_ignored_init);
MODULE_LICENSE("GPL");
