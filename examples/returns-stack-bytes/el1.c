/* EL1 half: registers the handler that answers a status. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_status_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_status(struct kvm_cpu_context *ctx);

static int __init returns_stack_bytes_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_status_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_status, token);
	if (ret < 0)
		pr_err("returns_stack_bytes: no hypercall for status: %d\n", ret);
	else
		pr_info("returns_stack_bytes: status is hypercall %d\n", ret);

	return 0;
}
module_init(returns_stack_bytes_init);
MODULE_LICENSE("GPL");
