/* EL1 half: nothing is wrong with it. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_ring_init(const struct pkvm_module_ops *ops);

static int __init unresolved_symbol_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_ring_init, &token);
}
module_init(unresolved_symbol_init);
MODULE_LICENSE("GPL");
