/* Kernel memory by page. */
#ifndef __LINUX_GFP_H
#define __LINUX_GFP_H

#include <linux/types.h>

/* Bit values of android14-6.1 (include/linux/gfp_types.h). */
#define __GFP_ZERO 0x100u
#define GFP_KERNEL 0xcc0u
#define GFP_ATOMIC 0xa20u

unsigned long __get_free_pages(gfp_t gfp, unsigned int order);
unsigned long get_zeroed_page(gfp_t gfp);
void free_pages(unsigned long address, unsigned int order);

#define __get_free_page(gfp) __get_free_pages(gfp, 0)
#define free_page(address) free_pages(address, 0)

#endif
