/* Function ids of the host's hypercalls: fast, 64-bit, vendor hypervisor, and a number. */
#ifndef __ASM_KVM_ASM_H
#define __ASM_KVM_ASM_H

#include <linux/arm-smccc.h>

#define KVM_HOST_SMCCC_ID(id) \
	ARM_SMCCC_CALL_VAL(ARM_SMCCC_FAST_CALL, ARM_SMCCC_SMC_64, ARM_SMCCC_OWNER_VENDOR_HYP, (id))
#define KVM_HOST_SMCCC_FUNC(name) KVM_HOST_SMCCC_ID(__KVM_HOST_SMCCC_FUNC_##name)

/*
 * The first id of the functions that modules register (android14-6.1, 15-6.6, 16-6.12: enum
 * __kvm_host_smccc_func).
 */
#define __KVM_HOST_SMCCC_FUNC___dynamic_hcalls 128

#endif
