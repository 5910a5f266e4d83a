/* Single bits and runs of bits. */
#ifndef __LINUX_BITS_H
#define __LINUX_BITS_H

#ifdef __ASSEMBLY__
#define BIT(n) (1 << (n))
#else
#define BIT(n) (1UL << (n))
#define BIT_ULL(n) (1ULL << (n))
#define GENMASK(high, low) (((~0UL) << (low)) & (~0UL >> (63 - (high))))
#define GENMASK_ULL(high, low) (((~0ULL) << (low)) & (~0ULL >> (63 - (high))))
#define BITS_PER_LONG 64
#endif

#endif
