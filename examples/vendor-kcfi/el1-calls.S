/* EL1 half, as a compiler with kCFI would write it: typed functions and a checked call. */
#include "kcfi.h"

	.section .init.text, "ax"
	typed_function init_module, HASH_INT_VOID
	stp	x29, x30, [sp, #-16]!
	mov	x29, sp
	adrp	x8, load_function
	ldr	x8, [x8, #:lo12:load_function]
	checked_call_x8 HASH_INT_VOID
	ldp	x29, x30, [sp], #16
	ret
	typed_function_end init_module

	typed_function load, HASH_INT_VOID
	b	vendor_kcfi_load
	typed_function_end load

	.text
	/* int vendor_kcfi_call(int number): the hypercall with x1 = 12, its result. */
	typed_function vendor_kcfi_call, HASH_INT_VOID
	mov	w9, #0xc6000000
	orr	w0, w9, w0
	mov	x1, #12
	mov	x2, #0
	hvc	#0
	mov	x0, x1
	ret
	typed_function_end vendor_kcfi_call

	.section .data, "aw"
	.p2align 3
load_function:
	.8byte	load

	.section .note.GNU-stack, "", %progbits
