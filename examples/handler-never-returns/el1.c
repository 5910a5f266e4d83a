/* EL1 half: registers two handlers, wait and post. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_event_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_event_wait(struct kvm_cpu_context *ctx);
void __kvm_nvhe_event_post(struct kvm_cpu_context *ctx);

static int wait_number, post_number;

static int __init handler_never_returns_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_event_init, &token);
	if (ret)
		return ret;

	wait_number = pkvm_register_el2_mod_call(__kvm_nvhe_event_wait, token);
	post_number = pkvm_register_el2_mod_call(__kvm_nvhe_event_post, token);
	pr_info("handler_never_returns: wait %d, post %d\n", wait_number, post_number);
	return 0;
}
module_init(handler_never_returns_init);
MODULE_LICENSE("GPL");
