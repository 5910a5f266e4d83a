/* EL1 half: registers the handler. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_checked_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_checked(struct kvm_cpu_context *ctx);

static int __init answers_in_x0_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_checked_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_checked, token);
	if (ret < 0)
		pr_err("answers_in_x0: no hypercall for checked: %d\n", ret);
	else
		pr_info("answers_in_x0: checked is hypercall %d\n", ret);

	return 0;
}
module_init(answers_in_x0_init);
MODULE_LICENSE("GPL");
