/* EL2 half: it has a slot that only .hyp.reloc could turn into an EL2 address. */
#include <asm/kvm_pkvm_module.h>

static u64 state;
u64 *const volatile state_address = &state;

int table_init(const struct pkvm_module_ops *ops)
{
	*state_address = 1;
	return 0;
}
