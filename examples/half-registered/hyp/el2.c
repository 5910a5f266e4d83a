/*
 * EL2 half: init registers a notifier of PSCI calls and a handler of SMCs.
 *
 * Shows what happens with a second module of the kind: there is one slot for a handler of SMCs, the
 * second registration is -EBUSY, and init fails with its notifier registered.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static u64 suspends, calls;

static void on_psci(enum pkvm_psci_notification notification, struct kvm_cpu_context *ctx)
{
	__atomic_add_fetch(&suspends, 1, __ATOMIC_RELAXED);
}

static bool on_smc(struct kvm_cpu_context *ctx)
{
	__atomic_add_fetch(&calls, 1, __ATOMIC_RELAXED);
	return false;
}

int watch_init(const struct pkvm_module_ops *ops)
{
	int ret;

	ret = ops->register_psci_notifier(on_psci);
	if (ret)
		return ret;
	return ops->register_host_smc_handler(on_smc);
}
