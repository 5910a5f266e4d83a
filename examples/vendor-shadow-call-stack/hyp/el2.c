/* EL2 half: adds x1 and x2, in two functions so that there is a return address to keep. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static volatile u64 sums = 1;

static noinline u64 add(u64 a, u64 b)
{
	sums++;
	return a + b;
}

int sum_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void sum_hvc(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = add(cpu_reg(ctx, 1), cpu_reg(ctx, 2));
}
