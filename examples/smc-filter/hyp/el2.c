/*
 * EL2 half: SMCs of the SiP range are answered here, all others go to the firmware.
 *
 * Shows a filter of SMCs: it looks at the low 32 bits of x0 only, sets every register that the
 * answer has, and says true for what it has answered.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define OWNER_MASK 0x3f000000
#define OWNER_SIP 0x02000000
#define FILTER_VERSION 0x8200ff00
#define SMCCC_RET_NOT_SUPPORTED (-1UL)

static u64 answered, refused, passed;

static void count(u64 *counter)
{
	__atomic_fetch_add(counter, 1, __ATOMIC_RELAXED);
}

static bool filter(struct kvm_cpu_context *ctx)
{
	u32 function = cpu_reg(ctx, 0);

	if ((function & OWNER_MASK) != OWNER_SIP) {
		count(&passed);
		return false;
	}
	if (function == FILTER_VERSION) {
		count(&answered);
		cpu_reg(ctx, 0) = 1;
	} else {
		count(&refused);
		cpu_reg(ctx, 0) = SMCCC_RET_NOT_SUPPORTED;
	}
	return true;
}

int filter_init(const struct pkvm_module_ops *ops)
{
	return ops->register_host_smc_handler(filter);
}

void filter_counters(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = answered;
	cpu_reg(ctx, 2) = refused;
	cpu_reg(ctx, 3) = passed;
}
