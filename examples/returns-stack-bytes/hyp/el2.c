/*
 * EL2 half: status answers two words.
 *
 * Shows bytes that leak: one word of the answer is set, the other is what lay on the hypervisor's
 * stack.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

struct reply {
	u64 state;
	u64 reserved;
};

static const struct pkvm_module_ops *ops;

int status_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

void status(struct kvm_cpu_context *ctx)
{
	volatile struct reply reply;

	ops->memset((void *)&reply, 0, sizeof(reply.state));
	cpu_reg(ctx, 1) = reply.state;
	cpu_reg(ctx, 2) = reply.reserved;
}
