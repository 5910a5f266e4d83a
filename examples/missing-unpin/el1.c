/* EL1 half: registers the handler that reads a header. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_header_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_header_version(struct kvm_cpu_context *ctx);

static int __init missing_unpin_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_header_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_header_version, token);
	if (ret < 0)
		pr_err("missing_unpin: no hypercall for header_version: %d\n", ret);
	else
		pr_info("missing_unpin: header_version is hypercall %d\n", ret);

	return 0;
}
module_init(missing_unpin_init);
MODULE_LICENSE("GPL");
