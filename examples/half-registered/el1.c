/* EL1 half: loads. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_watch_init(const struct pkvm_module_ops *ops);

static int __init half_registered_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_watch_init, &token);
	if (ret)
		return ret;

	return 0;
}
module_init(half_registered_init);
MODULE_LICENSE("GPL");
