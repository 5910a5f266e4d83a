/* The SMC Calling Convention (Arm DEN0028): function ids, and how HVC and SMC are issued. */
#ifndef __LINUX_ARM_SMCCC_H
#define __LINUX_ARM_SMCCC_H

/* Function id: bit 31 fast call, bit 30 SMC64, bits 29:24 owner, bits 15:0 number. */
#define ARM_SMCCC_STD_CALL 0UL
#define ARM_SMCCC_FAST_CALL 1UL
#define ARM_SMCCC_TYPE_SHIFT 31
#define ARM_SMCCC_SMC_32 0UL
#define ARM_SMCCC_SMC_64 1UL
#define ARM_SMCCC_CALL_CONV_SHIFT 30
#define ARM_SMCCC_OWNER_MASK 0x3fUL
#define ARM_SMCCC_OWNER_SHIFT 24
#define ARM_SMCCC_FUNC_MASK 0xffffUL

#define ARM_SMCCC_OWNER_ARCH 0
#define ARM_SMCCC_OWNER_CPU 1
#define ARM_SMCCC_OWNER_SIP 2
#define ARM_SMCCC_OWNER_OEM 3
#define ARM_SMCCC_OWNER_STANDARD 4
#define ARM_SMCCC_OWNER_STANDARD_HYP 5
#define ARM_SMCCC_OWNER_VENDOR_HYP 6

#define ARM_SMCCC_CALL_VAL(type, convention, owner, number)			\
	(((type) << ARM_SMCCC_TYPE_SHIFT) |					\
	 ((convention) << ARM_SMCCC_CALL_CONV_SHIFT) |				\
	 (((owner) & ARM_SMCCC_OWNER_MASK) << ARM_SMCCC_OWNER_SHIFT) |		\
	 ((number) & ARM_SMCCC_FUNC_MASK))

#define SMCCC_RET_SUCCESS 0
#define SMCCC_RET_NOT_SUPPORTED (-1)
#define SMCCC_RET_NOT_REQUIRED (-2)
#define SMCCC_RET_INVALID_PARAMETER (-3)

#ifndef __ASSEMBLY__
#include <linux/types.h>

struct arm_smccc_res {
	unsigned long a0;
	unsigned long a1;
	unsigned long a2;
	unsigned long a3;
};

struct arm_smccc_1_2_regs {
	unsigned long a0, a1, a2, a3, a4, a5, a6, a7, a8;
	unsigned long a9, a10, a11, a12, a13, a14, a15, a16, a17;
};

/*
 * SMCCC 1.1: arguments in x0..x7, results in x0..x3; the callee keeps everything else. So x0..x3
 * are outputs always and x4..x7 are inputs only if the caller gives them. The last argument is
 * where the results go, or NULL.
 */
#define __smccc_load_1(id) \
	register unsigned long smccc_x0 __asm__("x0") = (unsigned long)(id); \
	register unsigned long smccc_x1 __asm__("x1"); \
	register unsigned long smccc_x2 __asm__("x2"); \
	register unsigned long smccc_x3 __asm__("x3")
#define __smccc_load_2(id, a) \
	unsigned long smccc_arg1 = (unsigned long)(a); \
	register unsigned long smccc_x0 __asm__("x0") = (unsigned long)(id); \
	register unsigned long smccc_x1 __asm__("x1") = smccc_arg1; \
	register unsigned long smccc_x2 __asm__("x2"); \
	register unsigned long smccc_x3 __asm__("x3")
#define __smccc_load_3(id, a, b) \
	unsigned long smccc_arg1 = (unsigned long)(a), smccc_arg2 = (unsigned long)(b); \
	register unsigned long smccc_x0 __asm__("x0") = (unsigned long)(id); \
	register unsigned long smccc_x1 __asm__("x1") = smccc_arg1; \
	register unsigned long smccc_x2 __asm__("x2") = smccc_arg2; \
	register unsigned long smccc_x3 __asm__("x3")
#define __smccc_load_4(id, a, b, c) \
	unsigned long smccc_arg1 = (unsigned long)(a), smccc_arg2 = (unsigned long)(b); \
	unsigned long smccc_arg3 = (unsigned long)(c); \
	register unsigned long smccc_x0 __asm__("x0") = (unsigned long)(id); \
	register unsigned long smccc_x1 __asm__("x1") = smccc_arg1; \
	register unsigned long smccc_x2 __asm__("x2") = smccc_arg2; \
	register unsigned long smccc_x3 __asm__("x3") = smccc_arg3
#define __smccc_load_5(id, a, b, c, d) \
	unsigned long smccc_arg4 = (unsigned long)(d); \
	__smccc_load_4(id, a, b, c); \
	register unsigned long smccc_x4 __asm__("x4") = smccc_arg4
#define __smccc_load_6(id, a, b, c, d, e) \
	unsigned long smccc_arg5 = (unsigned long)(e); \
	__smccc_load_5(id, a, b, c, d); \
	register unsigned long smccc_x5 __asm__("x5") = smccc_arg5
#define __smccc_load_7(id, a, b, c, d, e, f) \
	unsigned long smccc_arg6 = (unsigned long)(f); \
	__smccc_load_6(id, a, b, c, d, e); \
	register unsigned long smccc_x6 __asm__("x6") = smccc_arg6
#define __smccc_load_8(id, a, b, c, d, e, f, g) \
	unsigned long smccc_arg7 = (unsigned long)(g); \
	__smccc_load_7(id, a, b, c, d, e, f); \
	register unsigned long smccc_x7 __asm__("x7") = smccc_arg7

/* How many of x0..x3 carry an argument decides which are read as well as written. */
#define __smccc_operands_1 "+r"(smccc_x0), "=&r"(smccc_x1), "=&r"(smccc_x2), "=&r"(smccc_x3) :
#define __smccc_operands_2 "+r"(smccc_x0), "+r"(smccc_x1), "=&r"(smccc_x2), "=&r"(smccc_x3) :
#define __smccc_operands_3 "+r"(smccc_x0), "+r"(smccc_x1), "+r"(smccc_x2), "=&r"(smccc_x3) :
#define __smccc_operands_4 "+r"(smccc_x0), "+r"(smccc_x1), "+r"(smccc_x2), "+r"(smccc_x3) :
#define __smccc_operands_5 __smccc_operands_4 "r"(smccc_x4)
#define __smccc_operands_6 __smccc_operands_5, "r"(smccc_x5)
#define __smccc_operands_7 __smccc_operands_6, "r"(smccc_x6)
#define __smccc_operands_8 __smccc_operands_7, "r"(smccc_x7)

/* The number of arguments, with the place for the results taken off. */
#define __smccc_count_1(_1, _2, _3, _4, _5, _6, _7, _8, _9, n, ...) n
#define __smccc_count(...) __smccc_count_1(__VA_ARGS__, 8, 7, 6, 5, 4, 3, 2, 1, 0)
#define __smccc_join_1(a, b) a##b
#define __smccc_join(a, b) __smccc_join_1(a, b)

#define __smccc_issue(instruction, operands, result)				\
	__asm__ __volatile__(instruction : operands : "memory");			\
	smccc_result = (result);							\
	if (smccc_result)								\
		*smccc_result = (struct arm_smccc_res){ smccc_x0, smccc_x1, smccc_x2, smccc_x3 }

#define __smccc_call_1(i, id, res) \
	__smccc_load_1(id); __smccc_issue(i, __smccc_operands_1, res)
#define __smccc_call_2(i, id, a, res) \
	__smccc_load_2(id, a); __smccc_issue(i, __smccc_operands_2, res)
#define __smccc_call_3(i, id, a, b, res) \
	__smccc_load_3(id, a, b); __smccc_issue(i, __smccc_operands_3, res)
#define __smccc_call_4(i, id, a, b, c, res) \
	__smccc_load_4(id, a, b, c); __smccc_issue(i, __smccc_operands_4, res)
#define __smccc_call_5(i, id, a, b, c, d, res) \
	__smccc_load_5(id, a, b, c, d); __smccc_issue(i, __smccc_operands_5, res)
#define __smccc_call_6(i, id, a, b, c, d, e, res) \
	__smccc_load_6(id, a, b, c, d, e); __smccc_issue(i, __smccc_operands_6, res)
#define __smccc_call_7(i, id, a, b, c, d, e, f, res) \
	__smccc_load_7(id, a, b, c, d, e, f); __smccc_issue(i, __smccc_operands_7, res)
#define __smccc_call_8(i, id, a, b, c, d, e, f, g, res) \
	__smccc_load_8(id, a, b, c, d, e, f, g); __smccc_issue(i, __smccc_operands_8, res)

#define __smccc_call(instruction, ...)						\
	do {									\
		struct arm_smccc_res *smccc_result;				\
		__smccc_join(__smccc_call_, __smccc_count(__VA_ARGS__))		\
			(instruction, __VA_ARGS__);				\
	} while (0)

#define arm_smccc_1_1_hvc(...) __smccc_call("hvc #0", __VA_ARGS__)
#define arm_smccc_1_1_smc(...) __smccc_call("smc #0", __VA_ARGS__)

#endif /* !__ASSEMBLY__ */

#endif
