/* EL1 half: registers open and close. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_session_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_session_open(struct kvm_cpu_context *ctx);
void __kvm_nvhe_session_close(struct kvm_cpu_context *ctx);

static int __init host_held_pointer_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_session_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_session_open, token);
	if (ret < 0)
		pr_err("host_held_pointer: no hypercall for session_open: %d\n", ret);
	else
		pr_info("host_held_pointer: session_open is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_session_close, token);
	if (ret < 0)
		pr_err("host_held_pointer: no hypercall for session_close: %d\n", ret);
	else
		pr_info("host_held_pointer: session_close is hypercall %d\n", ret);

	return 0;
}
module_init(host_held_pointer_init);
MODULE_LICENSE("GPL");
