/*
 * EL2 half: init registers an SMC handler, an abort notifier and a PSCI notifier, then returns
 * -EIO.
 *
 * Shows the handler that a failed load leaves behind: no operation takes a registration back, the
 * module's pages return to the host, and the next SMC, abort or CPU_SUSPEND makes EL2 branch to an
 * address that is not mapped.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

#define VENDOR_SMC 0x8300ff01 /* SiP owner range */

static const u64 answers[2] = { 0x5151, 0x5252 };
static u64 smcs = 1;
static u64 aborts;

static bool on_smc(struct kvm_cpu_context *ctx)
{
	if ((u32)cpu_reg(ctx, 0) != VENDOR_SMC)
		return false;
	cpu_reg(ctx, 0) = answers[smcs++ & 1];
	return true;
}

static void on_abort(struct kvm_cpu_context *ctx)
{
	aborts++;
}

static void on_psci(enum pkvm_psci_notification notification, struct kvm_cpu_context *ctx)
{
	if (notification == PKVM_PSCI_CPU_SUSPEND)
		aborts = 0;
}

int half_done_init(const struct pkvm_module_ops *ops)
{
	int ret;

	ret = ops->register_host_smc_handler(on_smc);
	if (ret)
		return ret;
	ret = ops->register_illegal_abt_notifier(on_abort);
	if (ret)
		return ret;
	ret = ops->register_psci_notifier(on_psci);
	if (ret)
		return ret;

	return -EIO;
}
