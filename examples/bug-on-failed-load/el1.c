/*
 * EL1 half: loads the EL2 half.
 *
 * Shows BUG_ON where an error is to be expected: after the host is deprivileged every load is
 * -EOPNOTSUPP, and whoever loads the module then brings the kernel down.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_guard_init(const struct pkvm_module_ops *ops);

static int __init bug_on_failed_load_init(void)
{
	unsigned long token;

	BUG_ON(pkvm_load_el2_module(__kvm_nvhe_guard_init, &token));
	return 0;
}
module_init(bug_on_failed_load_init);
MODULE_LICENSE("GPL");
