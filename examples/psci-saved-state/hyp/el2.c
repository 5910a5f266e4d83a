/*
 * EL2 half: puts the registers of a device away before a CPU suspends, and back when it enters.
 *
 * What is wrong: only an entry gives the slot back. A suspend that comes back without one, because
 * an interrupt was pending, leaves it taken, and the next suspend waits for ever. And an entry
 * takes x0 of the host for the slot, which is what whoever starts the CPU says it is.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <nvhe/trap_handler.h>

struct slot {
	u64 taken;
	u64 control;
};

static struct slot slot;
static u64 control = 1;

static void notified(enum pkvm_psci_notification event, struct kvm_cpu_context *ctx)
{
	struct slot *saved;

	if (event == PKVM_PSCI_CPU_ENTRY) {
		saved = (struct slot *)cpu_reg(ctx, 0);
		control = saved->control;
		__atomic_store_n(&saved->taken, 0, __ATOMIC_RELEASE);
		return;
	}
	while (__atomic_exchange_n(&slot.taken, 1, __ATOMIC_ACQUIRE))
		;
	slot.control = control;
	control = 0;
}

int power_init(const struct pkvm_module_ops *ops)
{
	return ops->register_psci_notifier(notified);
}
