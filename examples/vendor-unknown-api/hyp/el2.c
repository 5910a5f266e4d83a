/* EL2 half: sound by itself, which --el2-only can show. */
#include <asm/kvm_pkvm_module.h>

static const struct pkvm_module_ops *board_ops;
static volatile u64 boots = 1;

int board_init(const struct pkvm_module_ops *ops)
{
	board_ops = ops;
	boots++;
	board_ops->puts("vendor_unknown_api: EL2 half is up\n");
	return 0;
}
