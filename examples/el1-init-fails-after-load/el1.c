/*
 * EL1 half: loads its EL2 half, then misses something of its own and returns an error.
 *
 * Shows what a module must never do: the kernel frees the module's memory, of which EL2 owns pages
 * and runs code, and the handler that was registered stays registered.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_counter_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_counter_hvc(struct kvm_cpu_context *ctx);

/* Set by the boot loader on boards that have the device; nothing sets it here. */
static char *device;
module_param(device, charp, 0400);

static int __init el1_init_fails_after_load_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_counter_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_counter_hvc, token);
	if (ret < 0)
		return ret;

	if (!device) {
		pr_err("el1_init_fails_after_load: no device named\n");
		return -ENODEV;
	}
	return 0;
}
module_init(el1_init_fails_after_load_init);
MODULE_LICENSE("GPL");
