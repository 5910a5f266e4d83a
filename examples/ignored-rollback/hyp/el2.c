/*
 * EL2 half: a ring of two pages of the host, x1 the frame of the first.
 *
 * What is wrong: when the second page cannot be shared the first is given back, and nobody looks
 * whether it was. The host is told -EPERM either way, and in one of them a page of it stays shared.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

static const struct pkvm_module_ops *ops;

int ring_init(const struct pkvm_module_ops *given)
{
	ops = given;
	return 0;
}

void ring_attach(struct kvm_cpu_context *ctx)
{
	u64 pfn = cpu_reg(ctx, 1);
	int ret = ops->host_share_hyp(pfn);

	if (!ret) {
		ret = ops->host_share_hyp(pfn + 1);
		if (ret)
			ops->host_unshare_hyp(pfn);
	}
	cpu_reg(ctx, 1) = ret;
}
