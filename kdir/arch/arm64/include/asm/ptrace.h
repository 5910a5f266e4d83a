/* struct user_pt_regs: the registers of the interrupted host, as handlers see them. */
#ifndef __ASM_PTRACE_H
#define __ASM_PTRACE_H

#include <linux/build_bug.h>
#include <linux/types.h>

struct user_pt_regs {
	__u64 regs[31];
	__u64 sp;
	__u64 pc;
	__u64 pstate;
};
static_assert(offsetof(struct user_pt_regs, sp) == 248);
static_assert(offsetof(struct user_pt_regs, pc) == 256);
static_assert(offsetof(struct user_pt_regs, pstate) == 264);
static_assert(sizeof(struct user_pt_regs) == 272);

struct user_fpsimd_state {
	__uint128_t vregs[32];
	__u32 fpsr;
	__u32 fpcr;
	__u32 __reserved[2];
};

#endif
