/*
 * EL1 half, built for a kernel whose struct module has 0x440 bytes instead of 0x2c0.
 *
 * Shows that the size and the places of init, exit and arch.hyp follow from the kernel's
 * configuration: init and exit are found by the relocations of .gnu.linkonce.this_module, arch.hyp
 * by where the code below stores the EL2 init function before it calls __pkvm_load_el2_module.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_echo_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_echo_hvc(struct kvm_cpu_context *ctx);

static int __init vendor_struct_module_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_echo_init, &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_echo_hvc, token);
	if (ret >= 0)
		pr_info("vendor_struct_module: echo of 9 is %lu\n", pkvm_el2_mod_call(ret, 9));
	return 0;
}

static void __exit vendor_struct_module_exit(void)
{
	pr_info("vendor_struct_module: exit\n");
}
module_init(vendor_struct_module_init);
module_exit(vendor_struct_module_exit);
MODULE_LICENSE("GPL");
