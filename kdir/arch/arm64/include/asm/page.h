/* The size of a page: 4 KiB on every supported KMI. */
#ifndef __ASM_PAGE_H
#define __ASM_PAGE_H

#define PAGE_SHIFT 12
#ifdef __ASSEMBLY__
#define PAGE_SIZE (1 << PAGE_SHIFT)
#else
#define PAGE_SIZE (1UL << PAGE_SHIFT)
#endif
#define PAGE_MASK (~(PAGE_SIZE - 1))

#endif
