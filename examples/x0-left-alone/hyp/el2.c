/*
 * EL2 half for android15-6.6: add(x1, x2) answers the sum in x1.
 *
 * Shows the rule for x0 of another branch: android14-6.1 writes SMCCC_RET_SUCCESS before it calls a
 * handler, android15-6.6 leaves that to the handler. Here x0 stays the number of the call, and
 * whoever called warns.
 */
#include <asm/kvm_pkvm_module.h>

static u64 calls = 1;

int add_init(const struct pkvm_module_ops *ops)
{
	return 0;
}

void add(struct user_pt_regs *regs)
{
	calls++;
	regs->regs[1] += regs->regs[2];
} /* x0 is the number of the call still */
