/*
 * EL2 half: a mailbox. x1 is a kernel address, x2 a word; the handler swaps the word with what lies
 * there.
 *
 * Shows the missing check: nothing makes sure that the host shared the page and that it stays
 * shared (pin_shared_mem). A page that EL2 does not map panics the hypervisor; an EL2 page hands
 * the host a read and a write of the hypervisor's memory.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

static const struct pkvm_module_ops *mailbox_ops;

int mailbox_init(const struct pkvm_module_ops *ops)
{
	mailbox_ops = ops;
	return 0;
}

void mailbox_hvc(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);
	DECLARE_REG(u64, word, ctx, 2);
	u64 *mailbox = (u64 *)mailbox_ops->kern_hyp_va(kern_va);

	cpu_reg(ctx, 1) = *mailbox;
	*mailbox = word;
}
