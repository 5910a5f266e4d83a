/* EL1 half: loads an EL2 half whose init refuses, and passes the error on as a module should. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_refusing_init(const struct pkvm_module_ops *ops);

static int __init el2_init_fails_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_refusing_init, &token);
}
module_init(el2_init_fails_init);
MODULE_LICENSE("GPL");
