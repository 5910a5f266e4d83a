/*
 * EL2 half: fill_pages(x1 kernel address, x2 pages) pins a shared buffer, numbers its pages, and
 * unpins it.
 *
 * Shows the off-by-one page count: the loop also writes the page after the last one, which nobody
 * has pinned and EL2 need not map.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define PAGES_MAX 4

static const struct pkvm_module_ops *ops;

int fill_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int fill(unsigned long kern_va, u64 pages)
{
	unsigned long start = ops->kern_hyp_va(kern_va);
	void *end = (void *)(start + pages * PAGE_SIZE);
	u64 i;
	int ret;

	if (!pages || pages > PAGES_MAX)
		return -EINVAL;
	ret = ops->pin_shared_mem((void *)start, end);
	if (ret)
		return ret;
	for (i = 0; i <= pages; i++)
		*(u64 *)(start + i * PAGE_SIZE) = i;
	ops->unpin_shared_mem((void *)start, end);
	return 0;
}

void fill_pages(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);
	DECLARE_REG(u64, pages, ctx, 2);

	cpu_reg(ctx, 1) = fill(kern_va, pages);
}
