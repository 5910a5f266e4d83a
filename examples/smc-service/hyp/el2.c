/*
 * EL2 half: a service behind one SMC, x1 says which of its functions.
 *
 * What is wrong: the number is compared with > where >= is wanted, so that the word after the
 * table is called. And function 0 tells the host where the service keeps its state, which is an
 * address of EL2.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define SERVICE 0x8200ff10
#define FUNCTIONS 3

static u64 state[2];

static void where(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 2) = (u64)&state;
}

static void set(struct kvm_cpu_context *ctx)
{
	state[0] = cpu_reg(ctx, 2);
}

static void get(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 2) = state[0];
}

typedef void (*function_t)(struct kvm_cpu_context *ctx);

static struct {
	function_t functions[FUNCTIONS];
	u64 calls;
} service = { { where, set, get } };

static bool serve(struct kvm_cpu_context *ctx)
{
	u64 number = cpu_reg(ctx, 1);

	if ((u32)cpu_reg(ctx, 0) != SERVICE)
		return false;
	cpu_reg(ctx, 0) = 0;
	service.calls++;
	if (number > FUNCTIONS) {
		cpu_reg(ctx, 0) = -EINVAL;
		return true;
	}
	service.functions[number](ctx);
	return true;
}

int service_init(const struct pkvm_module_ops *ops)
{
	return ops->register_host_smc_handler(serve);
}
