/*
 * EL2 half: a serial driver for the PL011 at 0x9000000, and a hypercall that prints by it.
 *
 * Shows a driver: the device is mapped for EL2 before the driver is registered, and a character is
 * written only when there is room for it, within a limit.
 */
#include <asm/kvm_pkvm_module.h>
#include <asm/page.h>
#include <linux/errno.h>
#include <nvhe/trap_handler.h>

#define UART_PHYS 0x9000000
#define UART_DR 0x00
#define UART_FR 0x18
#define UART_FR_TXFF (1U << 5)
#define POLLS_MAX 1000

static const struct pkvm_module_ops *ops;
static unsigned long uart;

static void uart_putc(char c)
{
	int polls;

	for (polls = 0; polls < POLLS_MAX; polls++) {
		if (!(*(volatile u32 *)(uart + UART_FR) & UART_FR_TXFF)) {
			*(volatile u32 *)(uart + UART_DR) = c;
			return;
		}
	}
}

int serial_init(const struct pkvm_module_ops *module_ops)
{
	int ret;

	ops = module_ops;
	ret = ops->create_private_mapping(UART_PHYS, PAGE_SIZE, PAGE_HYP_DEVICE, &uart);
	if (ret)
		return ret;
	return ops->register_serial_driver(uart_putc);
}

void print_number(struct kvm_cpu_context *ctx)
{
	DECLARE_REG(u64, number, ctx, 1);

	ops->putx64(number);
	cpu_reg(ctx, 1) = 0;
}
