/*
 * EL2 half: a table of commands, each with a function and the counter it works on.
 *
 * Shows the slots that .hyp.reloc lists: every function pointer and every data pointer in .hyp.data
 * and .hyp.rodata holds a kernel address until the host rewrites it to the EL2 address. A slot left
 * out branches to EL1's address.
 */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h>

struct command {
	u64 number;
	u64 (*run)(u64 *counter, u64 argument);
	u64 *counter;
};

static u64 added = 1, last;

static u64 command_add(u64 *counter, u64 argument) { return *counter += argument; }
static u64 command_set(u64 *counter, u64 argument) { return *counter = argument; }
static u64 command_get(u64 *counter, u64 argument) { return *counter; }

/* In .hyp.data: a module may replace an entry while it runs. */
struct command commands[3] = {
	{ 1, command_add, &added },
	{ 2, command_set, &last },
	{ 3, command_get, &added },
};

/* In .hyp.rodata: where the table begins and where it ends. */
const struct {
	struct command *start, *end;
} table = { &commands[0], &commands[3] };

unsigned long default_command = 3;

int commands_init(const struct pkvm_module_ops *ops)
{
	/* Only if the slots were relocated does the table lie where its own code finds it. */
	return READ_ONCE(table.start) == &commands[0] ? 0 : -EFAULT;
}

void commands_hvc(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, number, ctx, 1);
	DECLARE_REG(u64, argument, ctx, 2);

	if (!number)
		number = default_command;
	for (struct command *command = READ_ONCE(table.start); command < READ_ONCE(table.end);
	     command++) {
		if (command->number == number) {
			cpu_reg(ctx, 1) = command->run(command->counter, argument);
			return;
		}
	}
	cpu_reg(ctx, 1) = -ENOENT;
}
