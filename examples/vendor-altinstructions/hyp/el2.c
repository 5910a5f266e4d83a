/* EL2 half: adds x1 to its tally and answers the tally. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>
#include "../count.h"

static u64 tally = 40;

int tally_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void tally_hvc(struct kvm_cpu_context *ctx)
{
	count(&tally, cpu_reg(ctx, 1));
	cpu_reg(ctx, 1) = tally;
}
