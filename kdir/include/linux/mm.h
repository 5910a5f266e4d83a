/* Pages and the addresses of the linear map. */
#ifndef __LINUX_MM_H
#define __LINUX_MM_H

#include <asm/memory.h>
#include <asm/page.h>
#include <linux/gfp.h>
#include <linux/kernel.h>

#define PAGE_ALIGN(address) ALIGN(address, PAGE_SIZE)
#define PAGE_ALIGNED(address) IS_ALIGNED((unsigned long)(address), PAGE_SIZE)

#endif
