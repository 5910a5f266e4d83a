/*
 * EL2 half for android17-6.18: init maps a page as scratch memory.
 *
 * Shows an op that is declared and NULL: the header of android17-6.18 still has map_module_page,
 * and module_ops, the table, does not fill it in.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>

#define SCRATCH_PFN 0x50010 /* reserved for the module in the device tree */

static u64 *scratch;

int scratch_init(const struct pkvm_module_ops *ops)
{
	scratch = ops->alloc_module_va(1);
	if (!scratch)
		return -ENOMEM;
	return ops->map_module_page(SCRATCH_PFN, scratch, PAGE_HYP, false);
}
