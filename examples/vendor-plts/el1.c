/*
 * EL1 half, built for a kernel with CONFIG_ARM64_MODULE_PLTS.
 *
 * Shows .plt, .init.plt and .text.ftrace_trampoline, of one byte in the file: the loader counts the
 * branches that may not reach their target, resizes the sections and writes a veneer into them for
 * each that does not.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_empty_init(const struct pkvm_module_ops *ops);

static noinline void report(const char *what, int ret)
{
	pr_info("vendor_plts: %s: %d\n", what, ret);
}

static int __init vendor_plts_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_empty_init, &token);
	report("load", ret);
	return ret;
}

static void __exit vendor_plts_exit(void)
{
	report("exit", 0);
}
module_init(vendor_plts_init);
module_exit(vendor_plts_exit);
MODULE_LICENSE("GPL");
