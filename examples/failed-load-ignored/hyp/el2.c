/* EL2 half: meter_read counts its calls; nothing is wrong with it. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static u64 reads;

int meter_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void meter_read(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = __atomic_add_fetch(&reads, 1, __ATOMIC_RELAXED);
}
