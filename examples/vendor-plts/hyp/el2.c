/* EL2 half: branches within .hyp.text only, so it never needs a veneer. */
#include <asm/kvm_pkvm_module.h>

static volatile u64 inits = 1;

int empty_init(const struct pkvm_module_ops *ops)
{
	inits++;
	return 0;
}
