/* BUG and WARN: a BRK instruction, and at EL1 an entry of __bug_table that says which it is. */
#ifndef __LINUX_BUG_H
#define __LINUX_BUG_H

#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/types.h>
#include <asm/brk-imm.h>

#define BUGFLAG_WARNING BIT(0)
#define BUGFLAG_ONCE BIT(1)

#ifdef __KVM_NVHE_HYPERVISOR__
/* At EL2 there is no table: a WARN is as fatal as a BUG, both end in the hypervisor's panic. */
#define __BUG_FLAGS(flags) __asm__ __volatile__("brk %0" ::"i"(BUG_BRK_IMM))
#else
/*
 * struct bug_entry of the common kernels without CONFIG_DEBUG_BUGVERBOSE: the place of the BRK
 * relative to the entry, 16 bits of flags, 16 bits of padding.
 */
#define __BUG_FLAGS(flags)					\
	__asm__ __volatile__(					\
		".pushsection __bug_table, \"aw\"\n"		\
		"	.align 2\n"				\
		"14470:	.long 14471f - .\n"			\
		"	.short %1\n"				\
		"	.align 2\n"				\
		".popsection\n"					\
		"14471:	brk %0" ::"i"(BUG_BRK_IMM), "i"(flags))
#endif

#define BUG()			\
	do {			\
		__BUG_FLAGS(0);	\
		unreachable();	\
	} while (0)

#define BUG_ON(condition)		\
	do {				\
		if (unlikely(condition))\
			BUG();		\
	} while (0)

#define WARN_ON(condition)					\
	({							\
		int warn_condition = !!(condition);		\
		if (unlikely(warn_condition))			\
			__BUG_FLAGS(1 /* BUGFLAG_WARNING */);	\
		unlikely(warn_condition);			\
	})

#define WARN_ON_ONCE(condition)							\
	({									\
		int warn_condition = !!(condition);				\
		if (unlikely(warn_condition))					\
			__BUG_FLAGS(3 /* BUGFLAG_WARNING | BUGFLAG_ONCE */);	\
		unlikely(warn_condition);					\
	})

#define WARN(condition, format...)		\
	({					\
		int warn_on = !!(condition);	\
		if (unlikely(warn_on))		\
			pr_warn(format);	\
		WARN_ON(warn_on);		\
	})

#endif
