/*
 * EL2 half, compiled with the ops table of android15-6.6: an SMC filter.
 *
 * Shows that the table has no version: slot 4 is putc in android15-6.6 and puts in android14-6.1,
 * so the character is taken for the address of a string; slot 17 registers SMC handlers in the one
 * and trap handlers in the other, so the filter never sees an SMC.
 */
#include <asm/kvm_pkvm_module.h>

static const u32 refused[] = { 0x8300ff01, 0x8300ff02 };
static u64 seen = 1;

static bool filter(struct user_pt_regs *regs)
{
	seen++;
	for (unsigned int i = 0; i < sizeof(refused) / sizeof(refused[0]); i++) {
		if ((u32)regs->regs[0] == ((const volatile u32 *)refused)[i]) {
			regs->regs[0] = SMCCC_RET_NOT_SUPPORTED;
			return true;
		}
	}
	return false;
}

int filter_init(const struct pkvm_module_ops *ops)
{
	int ret = ops->register_host_smc_handler(filter);

	if (!ret)
		ops->putc('F');
	return ret;
}
