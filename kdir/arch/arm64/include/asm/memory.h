/* The kernel's linear map with 39-bit addresses: where it starts and what it maps. */
#ifndef __ASM_MEMORY_H
#define __ASM_MEMORY_H

#include <asm/page.h>
#include <linux/types.h>

#define VA_BITS CONFIG_ARM64_VA_BITS
#define PAGE_OFFSET (-(1UL << VA_BITS))
#define PHYS_OFFSET memstart_addr

/* First byte of physical memory; exported by every kernel. */
extern s64 memstart_addr;

static inline phys_addr_t virt_to_phys(const volatile void *address)
{
	return (phys_addr_t)((unsigned long)address - PAGE_OFFSET) + PHYS_OFFSET;
}

static inline void *phys_to_virt(phys_addr_t address)
{
	return (void *)((unsigned long)(address - PHYS_OFFSET) + PAGE_OFFSET);
}

#define __pa(address) virt_to_phys((const volatile void *)(address))
#define __va(address) phys_to_virt(address)
#define __phys_to_pfn(address) ((unsigned long)((address) >> PAGE_SHIFT))
#define __pfn_to_phys(pfn) ((phys_addr_t)(pfn) << PAGE_SHIFT)
#define virt_to_pfn(address) __phys_to_pfn(__pa(address))

#endif
