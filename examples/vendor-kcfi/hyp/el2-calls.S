/*
 * EL2 half, the part that a compiler with kCFI would have written.
 *
 * The handler calls one of two functions through .hyp.data: x2 = 0 selects one of the expected
 * type, anything else one of another type, and the check ends in BRK at EL2: a hypervisor panic.
 */
#include "../kcfi.h"

	.text
	typed_function typed_init, HASH_INT_OPS
	b	typed_load
	typed_function_end typed_init

	typed_function typed_hvc, HASH_VOID_CTX
	stp	x19, x30, [sp, #-16]!
	mov	x19, x0
	ldp	x0, x2, [x19, #8]
	adrp	x8, workers
	add	x8, x8, #:lo12:workers
	cmp	x2, #0
	cset	x2, ne
	ldr	x8, [x8, x2, lsl #3]
	checked_call_x8 HASH_U64_U64
	str	x0, [x19, #8]
	ldp	x19, x30, [sp], #16
	ret
	typed_function_end typed_hvc

	typed_function typed_square, HASH_U64_U64
	b	square
	typed_function_end typed_square

	typed_function mistyped, HASH_OTHER
	ret
	typed_function_end mistyped

	.section .data, "aw"
	.p2align 3
workers:
	.8byte	typed_square
	.8byte	mistyped

	.section .note.GNU-stack, "", %progbits
