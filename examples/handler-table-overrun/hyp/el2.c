/*
 * EL2 half: command(x1 number, x2 argument) calls one of three functions by its number.
 *
 * Shows the overrun of a handler table: the bound lets one number more pass, and the word after the
 * table is called.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <linux/kernel.h>
#include <nvhe/trap_handler.h>

typedef u64 (*command_fn)(u64 argument);

static u64 clear(u64 argument)
{
	return 0;
}

static u64 twice(u64 argument)
{
	return 2 * argument;
}

static u64 square(u64 argument)
{
	return argument * argument;
}

static const struct {
	command_fn functions[3];
	u64 version;
} commands = { { clear, twice, square }, 7 };

int command_init(const struct pkvm_module_ops *module_ops)
{
	return 0;
}

void command(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, number, ctx, 1);
	DECLARE_REG(u64, argument, ctx, 2);

	if (number > ARRAY_SIZE(commands.functions)) {
		cpu_reg(ctx, 1) = -EINVAL;
		return;
	}
	cpu_reg(ctx, 1) = commands.functions[number](argument);
}
