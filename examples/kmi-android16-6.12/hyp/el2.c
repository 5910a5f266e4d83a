/*
 * EL2 half for android16-6.12: two handlers of SMCs and a function for the host.
 *
 * Handlers get struct user_pt_regs and must write x0 themselves. The branch keeps 16 handlers: the second is taken.
 */
#include <asm/kvm_pkvm_module.h>

const struct pkvm_module_ops *kmi_ops;
static long second_registration;
static u64 seen;

/* Sees every SMC that is the modules' and leaves it to the next handler. */
static bool kmi_count(struct user_pt_regs *regs)
{
	seen++;
	return false;
}

/* Answers one function id. */
static bool kmi_answer(struct user_pt_regs *regs)
{
	if ((u32)regs->regs[0] != 0x8300ff01)
		return false;
	regs->regs[0] = SMCCC_RET_SUCCESS;
	regs->regs[1] = seen;
	return true;
}

int kmi_init(const struct pkvm_module_ops *ops)
{
	int ret;

	kmi_ops = ops;
	ret = ops->register_host_smc_handler(kmi_count);
	if (!ret)
		second_registration = ops->register_host_smc_handler(kmi_answer);
	return ret;
}

/* x1 + x2 in x1, the x0 that was found in x2, the second registration's answer in x3. */
void kmi_add(struct user_pt_regs *regs)
{
	regs->regs[1] += regs->regs[2];
	regs->regs[2] = regs->regs[0];
	regs->regs[3] = second_registration;
	regs->regs[0] = SMCCC_RET_SUCCESS;
}
