/*
 * EL1 half: looks at the board before it loads the EL2 half.
 *
 * Shows the import of a function that the loading kernel does not export: "Unknown symbol
 * of_machine_is_compatible", and nothing of the module runs.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

extern int of_machine_is_compatible(const char *compat);

int __kvm_nvhe_board_init(const struct pkvm_module_ops *ops);

static int __init vendor_unknown_api_init(void)
{
	unsigned long token;

	if (!of_machine_is_compatible("vendor,board"))
		return -ENODEV;
	return pkvm_load_el2_module(__kvm_nvhe_board_init, &token);
}
module_init(vendor_unknown_api_init);
MODULE_LICENSE("GPL");
