/* Functions written in assembly. */
#ifndef __LINUX_LINKAGE_H
#define __LINUX_LINKAGE_H

#ifdef __ASSEMBLY__
/* BTI C is a hint that does nothing on a CPU without branch target identification. */
#define SYM_FUNC_START(name)	\
	.globl name;		\
	.p2align 2;		\
	.type name, %function;	\
	name: hint 34

#define SYM_FUNC_START_LOCAL(name)	\
	.p2align 2;			\
	.type name, %function;		\
	name: hint 34

#define SYM_FUNC_END(name) .size name, . - name
#endif

#endif
