/* EL1 half of a sound module: what is wrong here is done to the built file. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_sound_init(const struct pkvm_module_ops *ops);

static int __init corrupted_elf_init(void)
{
	unsigned long token;

	return pkvm_load_el2_module(__kvm_nvhe_sound_init, &token);
}
module_init(corrupted_elf_init);
MODULE_LICENSE("GPL");
