/* Prints checksum and number of executed instructions of one kernel, by Unicorn's block hook. */
#include <stdio.h>
#include <stdlib.h>
#include <unicorn/unicorn.h>

#define IMAGE 0x40080000ul
#define SCRATCH 0x48000000ul
#define STACK 0x4e000000ul
#define STOP 0x47000000ul

static unsigned long executed;

static void on_block(uc_engine *uc, uint64_t address, uint32_t size_bytes, void *unused)
{
	(void)uc, (void)address, (void)unused;
	executed += size_bytes / 4;
}

int main(int count, char **args)
{
	static unsigned char image[1 << 16];
	uint64_t x0, x1, x2 = SCRATCH, sp = STACK + 0xf000, lr = STOP;
	uc_engine *uc;
	uc_hook hook;
	FILE *file;

	if (count != 4 || !(file = fopen(args[1], "rb")))
		return 2;
	size_t length = fread(image, 1, sizeof image, file);
	x0 = strtoul(args[2], 0, 0);
	x1 = strtoul(args[3], 0, 0);
	if (uc_open(UC_ARCH_ARM64, UC_MODE_ARM, &uc))
		return 2;
	uc_mem_map(uc, IMAGE, sizeof image, UC_PROT_ALL);
	uc_mem_map(uc, SCRATCH, 1 << 20, UC_PROT_ALL);
	uc_mem_map(uc, STACK, 1 << 16, UC_PROT_ALL);
	uc_mem_map(uc, STOP, 4096, UC_PROT_ALL);
	uc_mem_write(uc, IMAGE, image, length);
	uc_reg_write(uc, UC_ARM64_REG_X0, &x0);
	uc_reg_write(uc, UC_ARM64_REG_X1, &x1);
	uc_reg_write(uc, UC_ARM64_REG_X2, &x2);
	uc_reg_write(uc, UC_ARM64_REG_X30, &lr);
	uc_reg_write(uc, UC_ARM64_REG_SP, &sp);
	uc_hook_add(uc, &hook, UC_HOOK_BLOCK, (void *)on_block, 0, 1, 0);
	if (uc_emu_start(uc, IMAGE, STOP, 0, 0))
		return 1;
	uc_reg_read(uc, UC_ARM64_REG_X0, &x0);
	printf("%016lx %lu\n", x0, executed);
	return 0;
}
