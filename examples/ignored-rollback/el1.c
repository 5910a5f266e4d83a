/* EL1 half: loads the ring and registers the hypercall that attaches it. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_ring_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_ring_attach(struct kvm_cpu_context *ctx);

static int __init ignored_rollback_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_ring_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_ring_attach, token);
	if (ret < 0)
		pr_err("ignored_rollback: no hypercall for ring_attach: %d\n", ret);
	else
		pr_info("ignored_rollback: ring_attach is hypercall %d\n", ret);

	return 0;
}
module_init(ignored_rollback_init);
MODULE_LICENSE("GPL");
