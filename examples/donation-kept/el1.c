/* EL1 half: registers the handler that takes a page. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_table_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_table_take(struct kvm_cpu_context *ctx);

static int __init donation_kept_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_table_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_table_take, token);
	if (ret < 0)
		pr_err("donation_kept: no hypercall for table_take: %d\n", ret);
	else
		pr_info("donation_kept: table_take is hypercall %d\n", ret);

	return 0;
}
module_init(donation_kept_init);
MODULE_LICENSE("GPL");
