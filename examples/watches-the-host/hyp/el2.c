/*
 * EL2 half: counts what the host is refused, what it traps on, and which CPUs suspend and enter.
 *
 * Shows callbacks: each touches only its own counters, answers only what pKVM knows, and whatever
 * the handler of traps has asked to be trapped it also answers. The registrations are what can
 * fail, and nothing takes them back: an init that meets a handler of another module says so in a
 * counter and goes on with those that it has.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define HCR_TID3 (1UL << 18)
#define EC_SYS64 0x18
#define ISS_RT(esr) (((esr) >> 5) & 31)
/* The memory of the board, as page frames. */
#define MEMORY_FIRST 0x40000
#define MEMORY_LAST 0x7ffff

enum { ABORTS, FAULTS, TRAPS, SUSPENDS, ENTRIES, MISSING, COUNTERS };

static const struct pkvm_module_ops *ops;
static u64 counters[COUNTERS];

#define read_register(name) ({ u64 value; asm volatile("mrs %0, " #name : "=r"(value)); value; })

static void count(int which)
{
	__atomic_fetch_add(&counters[which], 1, __ATOMIC_RELAXED);
}

static void refused(struct kvm_cpu_context *ctx)
{
	count(ABORTS);
}

static int fault(struct kvm_cpu_context *ctx, u64 esr, u64 addr)
{
	count(FAULTS);
	return -EPERM;
}

/* Identification registers read as zero: no feature. */
static bool trapped(struct kvm_cpu_context *ctx)
{
	u64 esr = read_register(esr_el2);

	if (esr >> 26 != EC_SYS64)
		return false;
	count(TRAPS);
	if (ISS_RT(esr) != 31)
		cpu_reg(ctx, ISS_RT(esr)) = 0;
	asm volatile("msr elr_el2, %0" : : "r"(read_register(elr_el2) + 4));
	return true;
}

static void notified(enum pkvm_psci_notification event, struct kvm_cpu_context *ctx)
{
	count(event == PKVM_PSCI_CPU_ENTRY ? ENTRIES : SUSPENDS);
}

static void registered(int ret)
{
	if (ret)
		counters[MISSING]++;
}

int watch_init(const struct pkvm_module_ops *given)
{
	int ret;

	ops = given;
	registered(ops->register_illegal_abt_notifier(refused));
	registered(ops->register_host_perm_fault_handler(fault));
	registered(ops->register_psci_notifier(notified));
	ret = ops->register_default_trap_handler(trapped);
	if (ret)
		registered(ret);
	else
		ops->update_hcr_el2(HCR_TID3, 0);
	return 0;
}

void watch_seal(struct kvm_cpu_context *ctx)
{
	enum kvm_pgtable_prot prot = KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X;
	u64 pfn = cpu_reg(ctx, 1);

	if (pfn < MEMORY_FIRST || pfn > MEMORY_LAST)
		cpu_reg(ctx, 1) = -EINVAL;
	else
		cpu_reg(ctx, 1) = ops->host_stage2_mod_prot(pfn, prot);
}

void watch_counters(struct kvm_cpu_context *ctx)
{
	int which;

	for (which = 0; which < COUNTERS; which++)
		cpu_reg(ctx, which + 1) = counters[which];
}
