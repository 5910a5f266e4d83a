/*
 * EL2 half: ring_attach(x1 kernel address) pins a page that the host shares, ring_count counts in
 * it, ring_detach unpins it.
 *
 * Shows the race: nothing orders a detach on one CPU after a count on another, which has looked at
 * the pointer already and goes on with a page that is not pinned any more.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

struct message {
	u64 count;
};

static const struct pkvm_module_ops *ops;
static struct message *buffer;

int ring_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int attach(unsigned long kern_va)
{
	unsigned long start = ops->kern_hyp_va(kern_va) & PAGE_MASK;
	int ret;

	if (buffer)
		return -EBUSY;
	ret = ops->pin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	if (ret)
		return ret;
	WRITE_ONCE(buffer, (struct message *)start);
	return 0;
}

static int detach(void)
{
	unsigned long start = (unsigned long)READ_ONCE(buffer);

	if (!start)
		return -ENOENT;
	WRITE_ONCE(buffer, NULL);
	ops->unpin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	return 0;
}

void ring_attach(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);

	cpu_reg(ctx, 1) = attach(kern_va);
}

void ring_count(struct kvm_cpu_context *ctx)
{
	struct message *ring = READ_ONCE(buffer);

	if (!ring) {
		cpu_reg(ctx, 1) = -ENOENT;
		return;
	}
	ring->count++;
	cpu_reg(ctx, 1) = 0;
}

void ring_detach(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = detach();
}
