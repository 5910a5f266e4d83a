/* EL1 half: registers one handler again and again, and fails when the table has no room left. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_greedy_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_greedy_hvc(struct kvm_cpu_context *ctx);

static int __init registers_until_full_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_greedy_init, &token);
	if (ret)
		return ret;
	do
		ret = pkvm_register_el2_mod_call(__kvm_nvhe_greedy_hvc, token);
	while (ret >= 0);
	pr_info("registers_until_full: %d\n", ret);

	/* What E13 of the page mends is left in: EL2 keeps the pages that the kernel frees now. */
	return ret;
}
module_init(registers_until_full_init);
MODULE_LICENSE("GPL");
