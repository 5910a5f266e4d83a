/* EL1 half: registers the handler that counts. Built for android14-6.1, so that vermagic lets it in. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_count_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_count_call(struct kvm_cpu_context *ctx);

static int __init later_branch_op_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_count_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_count_call, token);
	if (ret < 0)
		pr_err("later_branch_op: no hypercall for count_call: %d\n", ret);
	else
		pr_info("later_branch_op: count_call is hypercall %d\n", ret);

	return 0;
}
module_init(later_branch_op_init);
MODULE_LICENSE("GPL");
