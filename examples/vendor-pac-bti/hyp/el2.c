/* EL2 half with the same protection: handler and helper are both reached by BLR. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static u64 multiply(u64 a, u64 b) { return a * b; }
static u64 (*volatile operation)(u64 a, u64 b) = multiply;

int protected_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void protected_hvc(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = operation(cpu_reg(ctx, 1), cpu_reg(ctx, 2));
}
