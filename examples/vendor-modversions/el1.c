/*
 * EL1 half, built for a kernel with CONFIG_MODVERSIONS.
 *
 * Shows __versions: 64 bytes for module_layout and for each imported symbol, a checksum and the
 * name, and the word modversions in vermagic. The kernel compares the checksums with its own; here
 * they are made up (kdir/README.md).
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_empty_init(const struct pkvm_module_ops *ops);

static int __init vendor_modversions_init(void)
{
	unsigned long token;
	int ret = pkvm_load_el2_module(__kvm_nvhe_empty_init, &token);

	pr_info("vendor_modversions: load: %d\n", ret);
	return ret;
}
module_init(vendor_modversions_init);
MODULE_LICENSE("GPL");
