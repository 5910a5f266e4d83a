/*
 * EL2 half: message_attach(x1 kernel address) pins a page that the host shares, message_send copies
 * the message in it.
 *
 * Shows the double fetch: the length is checked, then read again for the copy. Another CPU of the
 * host can change it in between.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define TEXT_MAX 64

struct message {
	u64 length;
	u8 text[];
};

static const struct pkvm_module_ops *ops;
static volatile struct message *buffer;
static u8 copy[TEXT_MAX];

int message_init(const struct pkvm_module_ops *module_ops)
{
	ops = module_ops;
	return 0;
}

static int attach(unsigned long kern_va)
{
	unsigned long start = ops->kern_hyp_va(kern_va) & PAGE_MASK;
	int ret;

	if (buffer)
		return -EBUSY;
	ret = ops->pin_shared_mem((void *)start, (void *)(start + PAGE_SIZE));
	if (ret)
		return ret;
	buffer = (volatile struct message *)start;
	return 0;
}

static int send(void)
{
	if (!buffer)
		return -ENOENT;
	if (buffer->length > TEXT_MAX)
		return -EINVAL;
	ops->memcpy(copy, (const void *)buffer->text, buffer->length);
	return 0;
}

void message_attach(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(unsigned long, kern_va, ctx, 1);

	cpu_reg(ctx, 1) = attach(kern_va);
}

void message_send(struct kvm_cpu_context *ctx)
{
	cpu_reg(ctx, 1) = send();
}
