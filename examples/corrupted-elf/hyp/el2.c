/* EL2 half of a sound module: what is wrong here is done to the built file. */
#include <asm/kvm_pkvm_module.h>

int sound_init(const struct pkvm_module_ops *ops)
{
	return 0;
}
