/* Adds to a counter: a load-exclusive loop, or one STADD where the CPU has it. */
#include <asm/alternative.h>
#include <linux/types.h>

static inline void count(u64 *counter, u64 amount)
{
	u64 value;
	u32 failed;

	__asm__ __volatile__(
		".arch_extension lse\n"
		ALTERNATIVE("	prfm	pstl1strm, %[counter]\n"
			    "1:	ldxr	%[value], %[counter]\n"
			    "	add	%[value], %[value], %[amount]\n"
			    "	stxr	%w[failed], %[value], %[counter]\n"
			    "	cbnz	%w[failed], 1b",
			    "	stadd	%[amount], %[counter]\n"
			    "	nop\n"
			    "	nop\n"
			    "	nop\n"
			    "	nop", ARM64_HAS_LSE_ATOMICS)
		: [value] "=&r"(value), [failed] "=&r"(failed), [counter] "+Q"(*counter)
		: [amount] "r"(amount));
}
