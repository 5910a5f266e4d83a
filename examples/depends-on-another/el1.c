/* EL1 half: says which module must be there before, and loads. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_report_init(const struct pkvm_module_ops *ops);

static int __init depends_on_another_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_report_init, &token);
}
module_init(depends_on_another_init);
/* modpost writes this where one module imports from another; here EL2 needs the other's UART. */
MODULE_INFO(depends, "serial_driver");
MODULE_LICENSE("GPL");
