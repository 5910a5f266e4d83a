/*
 * EL2 half: a buffer that the host shares is pinned (buffer_attach, x1 kernel address), used
 * (buffer_add, x1 number) and given back (buffer_detach).
 *
 * Shows how it is done: pin before the first access, unpin after the last, one lock around all of
 * it, each word of the host's read once.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>
#include <nvhe/spinlock.h>

#define NUMBERS_MAX 32

struct numbers {
	u64 count;
	u64 values[NUMBERS_MAX];
};

static const struct pkvm_module_ops *ops;
static DEFINE_HYP_SPINLOCK(lock);
static struct numbers *shared;

int buffer_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int attach(unsigned long kern_va)
{
	unsigned long start = ops->kern_hyp_va(kern_va) & PAGE_MASK;
	int ret;

	if (shared)
		return -EBUSY;
	ret = ops->pin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	if (!ret)
		shared = (struct numbers *)start;
	return ret;
}

static int add(u64 number)
{
	u64 count;

	if (!shared)
		return -ENOENT;
	count = READ_ONCE(shared->count);
	if (count >= NUMBERS_MAX)
		return -ENOSPC;
	WRITE_ONCE(shared->values[count], number);
	WRITE_ONCE(shared->count, count + 1);
	return 0;
}

static int detach(void)
{
	void *start = shared;

	if (!start)
		return -ENOENT;
	shared = NULL;
	ops->unpin_shared_mem(start, start + PAGE_SIZE);
	return 0;
}

void buffer_attach(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);

	hyp_spin_lock(&lock);
	cpu_reg(ctx, 1) = attach(kern_va);
	hyp_spin_unlock(&lock);
}

void buffer_add(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, number, ctx, 1);

	hyp_spin_lock(&lock);
	cpu_reg(ctx, 1) = add(number);
	hyp_spin_unlock(&lock);
}

void buffer_detach(struct kvm_cpu_context *ctx)
{
	hyp_spin_lock(&lock);
	cpu_reg(ctx, 1) = detach();
	hyp_spin_unlock(&lock);
}
