/*
 * EL2 half: traps what the host reads of the identification registers, and hides a feature.
 *
 * What is wrong: the trap is of the whole group, and the handler knows two of them. For any other
 * it says that it did not handle the trap, which ends the machine.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <nvhe/trap_handler.h>

#define HCR_TID3 (1UL << 18)
#define EC_SYS64 0x18
#define ISS_RT(esr) (((esr) >> 5) & 31)
#define ISS_REGISTER(esr) ((esr) & 0x3ffc1e)
#define ISS(op0, op1, crn, crm, op2) \
	((op0) << 20 | (op2) << 17 | (op1) << 14 | (crn) << 10 | (crm) << 1)
#define RNDR (15UL << 60)

#define read_register(name) ({ u64 value; asm volatile("mrs %0, " #name : "=r"(value)); value; })

static bool trapped(struct kvm_cpu_context *ctx)
{
	u64 esr = read_register(esr_el2);
	u64 value;

	if (esr >> 26 != EC_SYS64)
		return false;
	switch (ISS_REGISTER(esr)) {
	case ISS(3, 0, 0, 6, 0):
		value = read_register(id_aa64isar0_el1) & ~RNDR;
		break;
	case ISS(3, 0, 0, 6, 1):
		value = read_register(id_aa64isar1_el1);
		break;
	default:
		return false;
	}
	if (ISS_RT(esr) != 31)
		cpu_reg(ctx, ISS_RT(esr)) = value;
	asm volatile("msr elr_el2, %0" : : "r"(read_register(elr_el2) + 4));
	return true;
} /* trapped */

int traps_init(const struct pkvm_module_ops *ops)
{
	int ret = ops->register_default_trap_handler(trapped);

	if (ret)
		return ret;
	ops->update_hcr_el2(HCR_TID3, 0);
	return 0;
}
