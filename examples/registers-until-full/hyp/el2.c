/*
 * EL2 half: a handler that counts its calls.
 *
 * Shows what a full table does: __pkvm_register_hcall answers -ENOMEM at the 129th handler, the
 * EL1 half takes that for a reason to fail, and 128 numbers lead into memory that the kernel has
 * freed.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static const u64 step = 1;
static u64 calls = 1;
static u64 last[4];

int greedy_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void greedy_hvc(struct kvm_cpu_context *ctx)
{
	last[calls & 3] = cpu_reg(ctx, 1);
	calls += step;
	cpu_reg(ctx, 1) = calls;
}
