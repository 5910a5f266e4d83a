/* EL2 half: nothing is wrong with it. */
#include <asm/kvm_pkvm_module.h>

static u64 loaded = 1;

int guard_init(const struct pkvm_module_ops *ops)
{
	loaded++;
	return 0;
}
