/*
 * EL2 half: wait spins until post was called, on whichever CPU.
 *
 * Shows a handler that never returns: EL2 is not preempted, so a CPU that waits for a post that
 * nobody sends, or that the same CPU was to send, is lost.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>
#include <asm/barrier.h>

static u64 posted, taken;

int event_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void event_wait(struct kvm_cpu_context *ctx)
{
	while (smp_load_acquire(&posted) == taken)
		;
	taken++;
	cpu_reg(ctx, 1) = 0;
}

void event_post(struct kvm_cpu_context *ctx)
{
	smp_store_release(&posted, posted + 1);
	cpu_reg(ctx, 1) = 0;
}
