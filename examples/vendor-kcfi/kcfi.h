/*
 * kCFI as clang 16 and later emit it for arm64; Debian 12's compilers do not, so the two .S files
 * write it by hand.
 *
 * Before a function stands the hash of its type, 4 bytes. Before an indirect call the hash at the
 * target is compared with the expected one; BRK #(0x8000 | 17 << 5 | register of the target)
 * reports a mismatch. NON-SPEC: the hashes are made up, a compiler derives them from the mangled
 * type.
 */
#ifndef VENDOR_KCFI_H
#define VENDOR_KCFI_H

#define HASH_INT_VOID 0x36b1c5a6	/* int (*)(void) */
#define HASH_INT_OPS 0x5a1e0c37		/* int (*)(const struct pkvm_module_ops *) */
#define HASH_VOID_CTX 0x20d4b9f3	/* void (*)(struct kvm_cpu_context *) */
#define HASH_U64_U64 0x7c3d1e85		/* u64 (*)(u64) */
#define HASH_OTHER 0x11223344		/* a function of another type */

	.macro	typed_function name, hash
	.p2align 4
	.4byte	\hash
	.globl	\name
	.type	\name, %function
\name:
	.endm

	.macro	typed_function_end name
	.size	\name, . - \name
	.endm

	/*
	 * Calls the function at x8 after the check; w16 and w17 are the compiler's scratch
	 * registers.
	 */
	.macro	checked_call_x8 hash
	ldur	w16, [x8, #-4]
	movk	w17, #((\hash) & 0xffff)
	movk	w17, #((\hash) >> 16), lsl #16
	cmp	w16, w17
	b.eq	. + 8
	brk	#(0x8000 | (17 << 5) | 8)
	blr	x8
	.endm

#endif
