/* EL1 half: loads the notifier. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_power_init(const struct pkvm_module_ops *ops);

static int __init psci_saved_state_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_power_init, &token);
}
module_init(psci_saved_state_init);
MODULE_LICENSE("GPL");
