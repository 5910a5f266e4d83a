/*
 * EL2 half: session_open answers a handle, session_close(x1 handle) ends the session.
 *
 * Shows the handler that trusts a pointer from the host: the handle is the EL2 address of the
 * session, and whatever comes back is written through.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

struct session {
	u64 users;
	u64 opened;
};

static struct session session;

int session_init(const struct pkvm_module_ops *module_ops)
{
	return 0;
}

void session_open(struct kvm_cpu_context *ctx)
{
	session.users = 1;
	session.opened++;
	cpu_reg(ctx, 1) = (unsigned long)&session;
}

void session_close(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(struct session *, handle, ctx, 1);

	handle->users = 0;
	cpu_reg(ctx, 1) = 0;
}
