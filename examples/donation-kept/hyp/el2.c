/*
 * EL2 half: table_take(x1 page frame) takes a page of the host for the module's table.
 *
 * Shows the donation that is not given back: whether there is a table already is asked after the
 * page was taken. The refused page stays the hypervisor's, and the host loses one with each call.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>
#include <nvhe/spinlock.h>

static const struct pkvm_module_ops *ops;
static DEFINE_HYP_SPINLOCK(lock);
static void *table;

int table_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int take(u64 pfn)
{
	int ret;

	ret = ops->host_donate_hyp(pfn, 1);
	if (ret)
		return ret;
	if (table)
		return -EBUSY;
	table = ops->hyp_va(pfn << PAGE_SHIFT);
	return 0;
}

void table_take(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, pfn, ctx, 1);

	hyp_spin_lock(&lock);
	cpu_reg(ctx, 1) = take(pfn);
	hyp_spin_unlock(&lock);
}
