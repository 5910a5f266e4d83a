/* EL1 half: loads the service. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_service_init(const struct pkvm_module_ops *ops);

static int __init smc_service_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_service_init, &token);
}
module_init(smc_service_init);
MODULE_LICENSE("GPL");
