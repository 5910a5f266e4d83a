/* Atomic counters. */
#ifndef __LINUX_ATOMIC_H
#define __LINUX_ATOMIC_H

#include <linux/compiler.h>
#include <linux/types.h>

#define ATOMIC_INIT(value) { (value) }

#define atomic_read(v) READ_ONCE((v)->counter)
#define atomic_set(v, value) WRITE_ONCE((v)->counter, value)
#define atomic_add(amount, v) ((void)__atomic_add_fetch(&(v)->counter, amount, __ATOMIC_RELAXED))
#define atomic_inc(v) atomic_add(1, v)
#define atomic_dec(v) atomic_add(-1, v)
#define atomic_add_return(amount, v) __atomic_add_fetch(&(v)->counter, amount, __ATOMIC_SEQ_CST)
#define atomic_inc_return(v) atomic_add_return(1, v)
#define atomic_dec_return(v) atomic_add_return(-1, v)
#define atomic_dec_and_test(v) (atomic_dec_return(v) == 0)

#define atomic64_read(v) atomic_read(v)
#define atomic64_set(v, value) atomic_set(v, value)
#define atomic64_add(amount, v) atomic_add(amount, v)
#define atomic64_inc(v) atomic_add(1, v)
#define atomic64_inc_return(v) atomic_add_return(1, v)

/* The value found; it is "old" if "new" was stored. */
#define cmpxchg(pointer, old, new)							\
	({										\
		__typeof__(*(pointer)) cmpxchg_found = (old);				\
		__atomic_compare_exchange_n(pointer, &cmpxchg_found, new, 0,		\
					    __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);	\
		cmpxchg_found;								\
	})
#define xchg(pointer, value) __atomic_exchange_n(pointer, value, __ATOMIC_SEQ_CST)

#endif
