/* EL1 half, built for android14-6.1, so that vermagic lets it in. Nothing checks the EL2 half. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_filter_init(const struct pkvm_module_ops *ops);

static int __init other_branch_ops_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_filter_init, &token);
}
module_init(other_branch_ops_init);
MODULE_LICENSE("GPL");
