/* EL1 half: loads the driver and registers the handler that prints a number. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_serial_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_print_number(struct kvm_cpu_context *ctx);

static int __init serial_driver_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_serial_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_print_number, token);
	if (ret < 0)
		pr_err("serial_driver: no hypercall for print_number: %d\n", ret);
	else
		pr_info("serial_driver: print_number is hypercall %d\n", ret);

	return 0;
}
module_init(serial_driver_init);
MODULE_LICENSE("GPL");
