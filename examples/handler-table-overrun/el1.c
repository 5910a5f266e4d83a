/* EL1 half: registers the handler that dispatches commands. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_command_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_command(struct kvm_cpu_context *ctx);

static int __init handler_table_overrun_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_command_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_command, token);
	if (ret < 0)
		pr_err("handler_table_overrun: no hypercall for command: %d\n", ret);
	else
		pr_info("handler_table_overrun: command is hypercall %d\n", ret);

	return 0;
}
module_init(handler_table_overrun_init);
MODULE_LICENSE("GPL");
