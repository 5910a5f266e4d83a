/* EL2 half: sum(x1, x2) answers the sum in x1; nothing is wrong with it. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static u64 sums;

int sum_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void sum(struct kvm_cpu_context *ctx)
{
	__atomic_add_fetch(&sums, 1, __ATOMIC_RELAXED);
	cpu_reg(ctx, 1) += cpu_reg(ctx, 2);
}
