/*
 * EL2 half: trace_event(x1 kernel address, x2 event) pins a shared page, puts a record at its
 * start, and unpins it.
 *
 * Shows padding that leaks: the record has four bytes that no member fills, and they are copied to
 * the host as they lay on the hypervisor's stack.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

struct record {
	u64 number;
	u32 event; /* four bytes of padding follow */
};

static const struct pkvm_module_ops *ops;
static u64 records;

int trace_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int trace(unsigned long kern_va, u32 event)
{
	void *start = (void *)(ops->kern_hyp_va(kern_va) & PAGE_MASK);
	struct record record;
	int ret;

	ret = ops->pin_shared_mem(start, start + PAGE_SIZE);
	if (ret)
		return ret;
	record.number = __atomic_fetch_add(&records, 1, __ATOMIC_RELAXED);
	record.event = event;
	ops->memcpy(start, &record, sizeof(record));
	ops->unpin_shared_mem(start, start + PAGE_SIZE);
	return 0;
}

void trace_event(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);
	DECLARE_REG(u32, event, ctx, 2);

	cpu_reg(ctx, 1) = trace(kern_va, event);
}
