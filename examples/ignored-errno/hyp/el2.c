/*
 * EL2 half: freeze(x1 page frame) makes a page read-only for the host.
 *
 * Shows the ignored errno: the op may refuse the page, and the handler answers that it is frozen.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

static const struct pkvm_module_ops *ops;

int freeze_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

void freeze(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, pfn, ctx, 1);

	ops->host_stage2_mod_prot(pfn, KVM_PGTABLE_PROT_R);
	cpu_reg(ctx, 1) = 0;
}
