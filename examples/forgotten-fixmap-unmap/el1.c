/* EL1 half: registers the handler that peeks at a page. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_peek_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_peek(struct kvm_cpu_context *ctx);

static int __init forgotten_fixmap_unmap_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_peek_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_peek, token);
	if (ret < 0)
		pr_err("forgotten_fixmap_unmap: no hypercall for peek: %d\n", ret);
	else
		pr_info("forgotten_fixmap_unmap: peek is hypercall %d\n", ret);

	return 0;
}
module_init(forgotten_fixmap_unmap_init);
MODULE_LICENSE("GPL");
