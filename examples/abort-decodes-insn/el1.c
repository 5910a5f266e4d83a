/* EL1 half: loads the notifier. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_notifier_init(const struct pkvm_module_ops *ops);

static int __init abort_decodes_insn_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_notifier_init, &token);
}
module_init(abort_decodes_insn_init);
MODULE_LICENSE("GPL");
