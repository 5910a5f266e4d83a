/* EL2 half: it imports nothing, as always; __versions speaks of EL1 only. */
#include <asm/kvm_pkvm_module.h>

static volatile u64 inits = 1;

int empty_init(const struct pkvm_module_ops *ops)
{
	inits++;
	return 0;
}
