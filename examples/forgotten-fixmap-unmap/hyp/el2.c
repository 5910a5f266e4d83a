/*
 * EL2 half: peek(x1 kernel address) reads a word of a shared page through the fixmap.
 *
 * Shows the forgotten fixmap_unmap: an empty page is refused, and stays mapped in the fixmap of
 * that CPU. The next fixmap_map rewrites the entry without invalidating it, so that the old page may
 * still be seen.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

static const struct pkvm_module_ops *ops;

int peek_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static s64 peek_at(unsigned long kern_va)
{
	void *start = (void *)(ops->kern_hyp_va(kern_va) & PAGE_MASK);
	void *end = start + PAGE_SIZE;
	s64 value;
	int ret;

	ret = ops->pin_shared_mem(start, end);
	if (ret)
		return ret;
	value = READ_ONCE(*(s64 *)ops->fixmap_map(ops->hyp_pa(start)));
	if (value) {
		value &= 0xffff;
		ops->fixmap_unmap();
	}
	ops->unpin_shared_mem(start, end);
	return value;
}

void peek(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);

	cpu_reg(ctx, 1) = peek_at(kern_va);
}
