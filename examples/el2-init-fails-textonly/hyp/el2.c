/*
 * EL2 half: code only, and an init that returns -EINVAL.
 *
 * Shows the failure path of android14-6.1 to android16-6.12 going wrong: the host unmaps by a table
 * whose first entries are the absent sections (host kvm/pkvm.c, __pkvm_load_el2_module), and EL2
 * panics.
 */
#include <asm/kvm_pkvm_module.h>

int refusing_init(const struct pkvm_module_ops *ops)
{
	return -EINVAL;
}
