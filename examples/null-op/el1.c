/* EL1 half for android17-6.18: loads. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_scratch_init(const struct pkvm_module_ops *ops);

static int __init null_op_init(void)
{
	return pkvm_load_el2_module(__kvm_nvhe_scratch_init);
}
module_init(null_op_init);
MODULE_LICENSE("GPL");
