/* EL1 half: registers the handler that makes a page read-only. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_freeze_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_freeze(struct kvm_cpu_context *ctx);

static int __init ignored_errno_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_freeze_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_freeze, token);
	if (ret < 0)
		pr_err("ignored_errno: no hypercall for freeze: %d\n", ret);
	else
		pr_info("ignored_errno: freeze is hypercall %d\n", ret);

	return 0;
}
module_init(ignored_errno_init);
MODULE_LICENSE("GPL");
