/*
 * EL1 half, built with -mbranch-protection=standard.
 *
 * Shows PACIASP and AUTIASP around every function that saves its return address, BTI at the start
 * of those that are called through a pointer, and a note in .note.gnu.property that says so.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_protected_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_protected_hvc(struct kvm_cpu_context *ctx);

static noinline int register_all(unsigned long token)
{
	int ret = pkvm_register_el2_mod_call(__kvm_nvhe_protected_hvc, token);

	if (ret < 0)
		pr_err("vendor_pac_bti: no hypercall: %d\n", ret);
	return ret;
}

static int __init vendor_pac_bti_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_protected_init, &token);
	if (ret)
		return ret;
	ret = register_all(token);
	if (ret >= 0)
		pr_info("vendor_pac_bti: 5 * 7 is %lu\n", pkvm_el2_mod_call(ret, 5, 7));
	return 0;
}
module_init(vendor_pac_bti_init);
MODULE_LICENSE("GPL");
