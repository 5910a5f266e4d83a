/* EL1 half: loads the EL2 half and registers its handler. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_mailbox_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_mailbox_hvc(struct kvm_cpu_context *ctx);

static int hvc_number;

static int __init host_pointer_deref_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_mailbox_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_mailbox_hvc, token);
	if (ret < 0) {
		pr_err("host_pointer_deref: no hypercall: %d\n", ret);
		return 0;
	}
	hvc_number = ret;
	pr_info("host_pointer_deref: hypercall %d\n", hvc_number);
	return 0;
}
module_init(host_pointer_deref_init);
MODULE_LICENSE("GPL");
