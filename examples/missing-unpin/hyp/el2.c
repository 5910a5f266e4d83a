/*
 * EL2 half: header_version(x1 kernel address) pins a shared page, checks its header and answers the
 * version in it.
 *
 * Shows the missing unpin: a page with another magic number is refused, and stays pinned. The host
 * can repeat that until the counter of the page overflows, and never gets the page back.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define MAGIC 0x764d766b50ULL

struct header {
	u64 magic;
	u64 version;
};

static const struct pkvm_module_ops *ops;

int header_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static s64 version_of(unsigned long kern_va)
{
	unsigned long start = ops->kern_hyp_va(kern_va) & PAGE_MASK;
	const struct header *header = (const struct header *)start;
	s64 version;
	int ret;

	ret = ops->pin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	if (ret)
		return ret;
	if (READ_ONCE(header->magic) != MAGIC)
		return -EINVAL;
	version = READ_ONCE(header->version) & 0xffff;
	ops->unpin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	return version;
}

void header_version(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);

	cpu_reg(ctx, 1) = version_of(kern_va);
}
