/* EL1 half: registers the one hypercall behind which the EL2 half has a table of commands. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_commands_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_commands_hvc(struct kvm_cpu_context *ctx);

/*
 * EL1 may set a variable of the EL2 half until it is loaded: here the command that runs by default.
 */
extern unsigned long __kvm_nvhe_default_command;
static int command = 1;
module_param(command, int, 0400);

static int __init vendor_data_relocs_init(void)
{
	unsigned long token;
	int ret;

	__kvm_nvhe_default_command = command;
	ret = pkvm_load_el2_module(__kvm_nvhe_commands_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_commands_hvc, token);
	pr_info("vendor_data_relocs: hypercall %d\n", ret);
	return 0;
}
module_init(vendor_data_relocs_init);
MODULE_LICENSE("GPL");
