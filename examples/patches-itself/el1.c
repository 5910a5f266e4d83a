/* EL1 half: loads the EL2 half. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_patch_init(const struct pkvm_module_ops *ops);

static int __init patches_itself_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_patch_init, &token);
	if (ret)
		return ret;

	return 0;
}
module_init(patches_itself_init);
MODULE_LICENSE("GPL");
