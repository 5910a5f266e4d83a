/* Barriers, and loads and stores with an order. */
#ifndef __ASM_BARRIER_H
#define __ASM_BARRIER_H

#define isb() __asm__ __volatile__("isb" ::: "memory")
#define dmb(domain) __asm__ __volatile__("dmb " #domain ::: "memory")
#define dsb(domain) __asm__ __volatile__("dsb " #domain ::: "memory")
#define smp_mb() dmb(ish)
#define smp_rmb() dmb(ishld)
#define smp_wmb() dmb(ishst)

#define smp_load_acquire(pointer) __atomic_load_n(pointer, __ATOMIC_ACQUIRE)
#define smp_store_release(pointer, value) __atomic_store_n(pointer, value, __ATOMIC_RELEASE)

#endif
