/*
 * EL2 half: counts which accesses of the host were refused, reads and writes apart.
 *
 * What is wrong: where the syndrome does not describe the access (no ISV: a pair, or one that
 * writes its base back), it decodes the instruction at the host's PC. That is an address of EL1,
 * in a text that EL2 does not map.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>

#define ESR_ISV (1UL << 24)
#define ESR_WNR (1UL << 6)
#define INSN_LOAD (1U << 22)

static u64 reads, writes;

#define read_register(name) ({ u64 value; asm volatile("mrs %0, " #name : "=r"(value)); value; })

static void refused(struct kvm_cpu_context *ctx)
{
	u64 esr = read_register(esr_el2);
	bool write = esr & ESR_WNR;

	if (!(esr & ESR_ISV)) {
		const u32 *insn = (const u32 *)read_register(elr_el2);

		write = !(*insn & INSN_LOAD);
	}
	if (write)
		writes++;
	else
		reads++;
}

int notifier_init(const struct pkvm_module_ops *ops)
{
	return ops->register_illegal_abt_notifier(refused);
}
