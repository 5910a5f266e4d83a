/*
 * EL2 half: init maps the page of its own code again, so that it can be patched later.
 *
 * Shows the second mapping: create_private_mapping compares nothing, and what EL2 executes can then
 * be written.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define TEXT_PHYS 0x41000000 /* where this machine's first module lies */

static unsigned long writable;

int patch_init(const struct pkvm_module_ops *ops)
{
	return ops->create_private_mapping(TEXT_PHYS, PAGE_SIZE, PAGE_HYP, &writable);
}
