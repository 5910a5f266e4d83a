/* EL1 half: loads the handler of traps. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_traps_init(const struct pkvm_module_ops *ops);

static int __init trap_unknown_register_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_traps_init, &token);
}
module_init(trap_unknown_register_init);
MODULE_LICENSE("GPL");
