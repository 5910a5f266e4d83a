/* EL1 half: registers attach and send. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_message_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_message_attach(struct kvm_cpu_context *ctx);
void __kvm_nvhe_message_send(struct kvm_cpu_context *ctx);

static int __init double_fetch_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_message_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_message_attach, token);
	if (ret < 0)
		pr_err("double_fetch: no hypercall for message_attach: %d\n", ret);
	else
		pr_info("double_fetch: message_attach is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_message_send, token);
	if (ret < 0)
		pr_err("double_fetch: no hypercall for message_send: %d\n", ret);
	else
		pr_info("double_fetch: message_send is hypercall %d\n", ret);

	return 0;
}
module_init(double_fetch_init);
MODULE_LICENSE("GPL");
