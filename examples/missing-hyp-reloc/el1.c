/*
 * EL1 half of a module that has .hyp.text and no .hyp.reloc.
 *
 * Shows a strip too many: the loader takes .hyp.text as the mark of an EL2 half, misses .hyp.reloc
 * and answers ENOEXEC before anything of the module runs.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_table_init(const struct pkvm_module_ops *ops);

static int __init missing_hyp_reloc_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_table_init, &token);
}
module_init(missing_hyp_reloc_init);
MODULE_LICENSE("GPL");
