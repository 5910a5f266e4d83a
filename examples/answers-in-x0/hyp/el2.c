/*
 * EL2 half: checked(x1) refuses odd numbers.
 *
 * Shows the answer in the wrong register: x0 says whether the hypercall exists, and anything but
 * SMCCC_RET_SUCCESS makes the kernel of the host warn. Answers belong into x1.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

int checked_init(const struct pkvm_module_ops *module_ops)
{
	return 0;
}

void checked(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, number, ctx, 1);

	cpu_reg(ctx, 0) = number & 1 ? -EINVAL : 0;
}
