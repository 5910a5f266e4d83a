/* EL1 half: loads the watch, registers the hypercalls that seal a page and read the counters. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_watch_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_watch_seal(struct kvm_cpu_context *ctx);
void __kvm_nvhe_watch_counters(struct kvm_cpu_context *ctx);

static int __init watches_the_host_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_watch_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_watch_seal, token);
	if (ret < 0)
		pr_err("watches_the_host: no hypercall for watch_seal: %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_watch_counters, token);
	if (ret < 0)
		pr_err("watches_the_host: no hypercall for watch_counters: %d\n", ret);

	return 0;
}
module_init(watches_the_host_init);
MODULE_LICENSE("GPL");
