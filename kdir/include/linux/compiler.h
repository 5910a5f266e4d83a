/* What module sources expect of the compiler: attributes, ordered accesses, unreachable code. */
#ifndef __LINUX_COMPILER_H
#define __LINUX_COMPILER_H

#define __always_inline inline __attribute__((__always_inline__))
#define noinline __attribute__((__noinline__))
#define __noreturn __attribute__((__noreturn__))
#define __maybe_unused __attribute__((__unused__))
#define __always_unused __attribute__((__unused__))
#define __used __attribute__((__used__))
#define __packed __attribute__((__packed__))
#define __aligned(n) __attribute__((__aligned__(n)))
#define __section(name) __attribute__((__section__(name)))
#define __must_check __attribute__((__warn_unused_result__))
#define __weak __attribute__((__weak__))
#define __alias(symbol) __attribute__((__alias__(#symbol)))
#if __has_attribute(__copy__)
#define __copy(symbol) __attribute__((__copy__(symbol)))
#else
#define __copy(symbol)
#endif
#define __cold __attribute__((__cold__))
#define __pure __attribute__((__pure__))
#define __attribute_const__ __attribute__((__const__))
#define __printf(fmt, first) __attribute__((__format__(printf, fmt, first)))
#define fallthrough __attribute__((__fallthrough__))

/* Annotations of the kernel's checkers, which mean nothing to the compiler. */
#define __user
#define __iomem
#define __force
#define __rcu
#define __percpu
#define __nocfi
#define notrace
#define asmlinkage

#define likely(x) __builtin_expect(!!(x), 1)
#define unlikely(x) __builtin_expect(!!(x), 0)
#define barrier() __asm__ __volatile__("" ::: "memory")
#define unreachable() __builtin_unreachable()

#define READ_ONCE(x) (*(const volatile __typeof__(x) *)&(x))
#define WRITE_ONCE(x, value) (*(volatile __typeof__(x) *)&(x) = (value))

#define __stringify_1(x...) #x
#define __stringify(x...) __stringify_1(x)
#define __PASTE_1(a, b) a##b
#define __PASTE(a, b) __PASTE_1(a, b)
#define __UNIQUE_ID(prefix) __PASTE(__PASTE(__UNIQUE_ID_, prefix), __COUNTER__)

#endif
