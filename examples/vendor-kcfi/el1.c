/*
 * EL1 half: its init is called through a pointer and calls through one, both with kCFI
 * (el1-calls.S).
 *
 * Shows what checked indirect calls need of whoever runs them: a readable word before every
 * function, also before the ones that the kernel or the hypervisor provide, and a BRK that means
 * "type mismatch".
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_typed_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_typed_hvc(struct kvm_cpu_context *ctx);

int vendor_kcfi_call(int number);

int vendor_kcfi_load(void);
int vendor_kcfi_load(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_typed_init, &token);
	if (ret)
		return ret;
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_typed_hvc, token);
	if (ret >= 0)
		pr_info("vendor_kcfi: square of 12 is %d\n", vendor_kcfi_call(ret));
	return 0;
}
MODULE_LICENSE("GPL");
