/* EL2 half: nothing is wrong with it; it counts its calls. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static u64 calls = 1;

int counter_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void counter_hvc(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = calls++;
}
