/*
 * EL2 half: table_read(x1 offset, x2 length) answers the sum of some bytes of a table.
 *
 * Shows the length that overflows: offset + length is computed in 64 bits and wraps, so that an
 * offset far beyond the table passes the check.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

static const u8 table[64] = { 3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7, 9, 3 };

int table_init(const struct pkvm_module_ops *module_ops)
{
	return 0;
}

void table_read(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, offset, ctx, 1);
	DECLARE_REG(u64, length, ctx, 2);
	const u8 *from = table + offset;
	u64 sum = 0;

	if (offset + length > sizeof(table)) {
		cpu_reg(ctx, 1) = -EINVAL;
		return;
	}
	for (; length; length--)
		sum += *from++;
	cpu_reg(ctx, 1) = sum;
}
