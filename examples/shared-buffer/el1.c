/* EL1 half: registers attach, add and detach. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_buffer_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_buffer_attach(struct kvm_cpu_context *ctx);
void __kvm_nvhe_buffer_add(struct kvm_cpu_context *ctx);
void __kvm_nvhe_buffer_detach(struct kvm_cpu_context *ctx);

static int __init shared_buffer_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_buffer_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_buffer_attach, token);
	if (ret < 0)
		pr_err("shared_buffer: no hypercall for buffer_attach: %d\n", ret);
	else
		pr_info("shared_buffer: buffer_attach is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_buffer_add, token);
	if (ret < 0)
		pr_err("shared_buffer: no hypercall for buffer_add: %d\n", ret);
	else
		pr_info("shared_buffer: buffer_add is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_buffer_detach, token);
	if (ret < 0)
		pr_err("shared_buffer: no hypercall for buffer_detach: %d\n", ret);
	else
		pr_info("shared_buffer: buffer_detach is hypercall %d\n", ret);

	return 0;
}
module_init(shared_buffer_init);
MODULE_LICENSE("GPL");
