/*
 * EL2 half, compiled with the ops table of android15-6.6: count_call counts its calls by CPU and
 * answers the count.
 *
 * Shows an op that the branch does not have: slot 53 is hyp_smp_processor_id in android15-6.6. In
 * android14-6.1 it is reserved, NULL lies there, and nothing tells before the first call.
 */
#include <asm/kvm_pkvm_module.h>

#define CPUS 8

static const struct pkvm_module_ops *ops;
static u64 calls[CPUS];

int count_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

void count_call(struct user_pt_regs *regs)
{
	unsigned int cpu = ops->hyp_smp_processor_id();

	if (cpu < CPUS)
		regs->regs[1] = ++calls[cpu];
	regs->regs[0] = SMCCC_RET_SUCCESS;
}
