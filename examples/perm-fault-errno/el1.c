/* EL1 half: loads the handler of faults and registers the hypercall that seals a page. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_seal_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_seal_page(struct kvm_cpu_context *ctx);

static int __init perm_fault_errno_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_seal_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_seal_page, token);
	if (ret < 0)
		pr_err("perm_fault_errno: no hypercall for seal_page: %d\n", ret);
	else
		pr_info("perm_fault_errno: seal_page is hypercall %d\n", ret);

	return 0;
}
module_init(perm_fault_errno_init);
MODULE_LICENSE("GPL");
