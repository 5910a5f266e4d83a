/* EL1 half: for android15-6.6: registers the handler that adds. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_add_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_add(struct user_pt_regs *ctx);

static int __init x0_left_alone_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_add_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_add, token);
	if (ret < 0)
		pr_err("x0_left_alone: no hypercall for add: %d\n", ret);
	else
		pr_info("x0_left_alone: add is hypercall %d\n", ret);

	return 0;
}
module_init(x0_left_alone_init);
MODULE_LICENSE("GPL");
