/* Reading and writing system registers by name. */
#ifndef __ASM_SYSREG_H
#define __ASM_SYSREG_H

#include <linux/types.h>

#define read_sysreg(register_name)						\
	({									\
		u64 sysreg_value;						\
		__asm__ __volatile__("mrs %0, " #register_name : "=r"(sysreg_value));	\
		sysreg_value;							\
	})
#define write_sysreg(value, register_name) \
	__asm__ __volatile__("msr " #register_name ", %0" ::"r"((u64)(value)))

#endif
