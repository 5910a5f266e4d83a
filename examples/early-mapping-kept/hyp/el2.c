/*
 * EL2 half: init takes over a limit that the boot loader may have left in a page.
 *
 * Shows the early mapping that is kept: where the boot loader left nothing, init is done at once
 * and the page stays mapped. EL2 counts the bytes, and stops the machine when the host is
 * deprivileged.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>

#define HANDOVER_PHYS 0x50010000
#define MAGIC 0x4c494d4954ULL

struct handover {
	u64 magic;
	u64 limit;
};

static u64 limit = 16;

int limit_init(const struct pkvm_module_ops *ops)
{
	const struct handover *handover;

	handover = ops->linear_map_early(HANDOVER_PHYS, PAGE_SIZE, PAGE_HYP_RO);
	if (!handover)
		return -ENOMEM;
	if (handover->magic != MAGIC)
		return 0;
	limit = handover->limit;
	ops->linear_unmap_early((void *)handover, PAGE_SIZE);
	return 0;
}
