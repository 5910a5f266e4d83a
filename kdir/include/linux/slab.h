/* Kernel memory by size. Which of these a kernel exports under this name, the loader knows. */
#ifndef __LINUX_SLAB_H
#define __LINUX_SLAB_H

#include <linux/gfp.h>
#include <linux/types.h>

void *__kmalloc(size_t size, gfp_t gfp);
void kfree(const void *memory);

static inline void *kmalloc(size_t size, gfp_t gfp) { return __kmalloc(size, gfp); }
static inline void *kzalloc(size_t size, gfp_t gfp) { return __kmalloc(size, gfp | __GFP_ZERO); }

#endif
