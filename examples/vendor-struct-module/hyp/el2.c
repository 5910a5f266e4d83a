/* EL2 half: answers x1 as it came. */
#include <asm/kvm_pkvm_module.h>

static volatile u64 echoes = 1;

int echo_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void echo_hvc(struct kvm_cpu_context *ctx)
{
	echoes++;
}
