/* EL1 half: registers the handler that reads from a table. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_table_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_table_read(struct kvm_cpu_context *ctx);

static int __init length_overflow_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_table_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_table_read, token);
	if (ret < 0)
		pr_err("length_overflow: no hypercall for table_read: %d\n", ret);
	else
		pr_info("length_overflow: table_read is hypercall %d\n", ret);

	return 0;
}
module_init(length_overflow_init);
MODULE_LICENSE("GPL");
