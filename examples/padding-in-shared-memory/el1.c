/* EL1 half: registers the handler that writes a record. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_trace_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_trace_event(struct kvm_cpu_context *ctx);

static int __init padding_in_shared_memory_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_trace_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_trace_event, token);
	if (ret < 0)
		pr_err("padding_in_shared_memory: no hypercall for trace_event: %d\n", ret);
	else
		pr_info("padding_in_shared_memory: trace_event is hypercall %d\n", ret);

	return 0;
}
module_init(padding_in_shared_memory_init);
MODULE_LICENSE("GPL");
