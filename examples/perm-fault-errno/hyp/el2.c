/*
 * EL2 half: a page of the host is sealed against writes; a write to it is counted and refused.
 *
 * What is wrong: pKVM knows three answers of a handler, 0, -EPERM and -EAGAIN, and stops at any
 * other. For a write that the syndrome does not describe this one says -EINVAL.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define ESR_ISV (1UL << 24)
/* The memory of the board, as page frames. */
#define MEMORY_FIRST 0x40000
#define MEMORY_LAST 0x7ffff

static const struct pkvm_module_ops *ops;
static u64 refused;

static int fault(struct kvm_cpu_context *ctx, u64 esr, u64 addr)
{
	if (!(esr & ESR_ISV))
		return -EINVAL;
	refused++;
	return -EPERM;
}

int seal_init(const struct pkvm_module_ops *given)
{
	ops = given;
	return ops->register_host_perm_fault_handler(fault);
}

void seal_page(struct kvm_cpu_context *ctx)
{
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X;
	u64 pfn = cpu_reg(ctx, 1);

	if (pfn < MEMORY_FIRST || pfn > MEMORY_LAST)
		cpu_reg(ctx, 1) = -EINVAL;
	else
		cpu_reg(ctx, 1) = ops->host_stage2_mod_prot(pfn, prot);
}
