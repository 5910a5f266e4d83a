/* struct kvm_cpu_context: what android14-6.1 hands to every handler of a module. */
#ifndef __ASM_KVM_HOST_H
#define __ASM_KVM_HOST_H

#include <asm/ptrace.h>

typedef u16 pkvm_handle_t;

/*
 * DEVIATION: the kernel's structure goes on with the system registers and the running vCPU, whose
 * places follow from the kernel's version. Modules get a pointer to it and never its size, so it
 * ends here.
 */
struct kvm_cpu_context {
	struct user_pt_regs regs; /* sp = sp_el0 */
	u64 spsr_abt;
	u64 spsr_und;
	u64 spsr_irq;
	u64 spsr_fiq;
	struct user_fpsimd_state fp_regs;
};
static_assert(offsetof(struct kvm_cpu_context, regs) == 0);
static_assert(offsetof(struct kvm_cpu_context, fp_regs) == 304);

#endif
