/* EL1 half for android17-6.18: loads, registers one function and calls it. */
#include <linux/module.h>
#include <linux/kernel.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_kmi_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_kmi_add(struct user_pt_regs *regs);

static int __init kmi_android17_6_18_init(void)
{
	int ret = pkvm_load_el2_module(__kvm_nvhe_kmi_init); /* no token any more */
	int id;

	if (ret)
		return ret;
	id = pkvm_register_el2_mod_call(__kvm_nvhe_kmi_add);
	if (id < 0) {
		pr_err("kmi_android17_6_18: no hypercall: %d\n", id);
		return 0; /* EL2 owns this memory by now */
	}
	pr_info("kmi_android17_6_18: hypercall %d answers %d\n", id, (int)pkvm_el2_mod_call(id, 17, 34));
	return 0;
}
module_init(kmi_android17_6_18_init);
MODULE_LICENSE("GPL");
