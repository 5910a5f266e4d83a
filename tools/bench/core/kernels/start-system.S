/*
 * Bare metal at EL2 of QEMU's `virt`, MMU off. Kernel and iterations are words at 0x50000000, which
 * `-device loader` writes; prints the checksum and the Exception level by semihosting, and exits.
 */
	.section .text.start, "ax"
	.global _start
_start:
	ldr	x10, =0x4f000000
	mov	sp, x10
	ldr	x11, =0x50000000
	ldr	w0, [x11]
	ldr	w1, [x11, #4]
	ldr	x2, =0x48000000
	bl	bench
	ldr	x3, =0x50001000
	mov	x4, #60
1:	lsr	x5, x0, x4
	and	x5, x5, #15
	cmp	x5, #10
	add	x6, x5, #'0'
	add	x7, x5, #('a' - 10)
	csel	x5, x6, x7, lo
	strb	w5, [x3], #1
	subs	x4, x4, #4
	b.ge	1b
	mrs	x5, CurrentEL
	lsr	x5, x5, #2
	add	x5, x5, #'0'
	mov	w6, #' '
	strb	w6, [x3], #1
	mov	w6, #'E'
	strb	w6, [x3], #1
	mov	w6, #'L'
	strb	w6, [x3], #1
	strb	w5, [x3], #1
	mov	w6, #'\n'
	strb	w6, [x3], #1
	strb	wzr, [x3]
	mov	x0, #4			/* SYS_WRITE0 */
	ldr	x1, =0x50001000
	hlt	#0xf000
	ldr	x1, =0x50002000
	ldr	x2, =0x20026		/* ADP_Stopped_ApplicationExit */
	str	x2, [x1]
	str	xzr, [x1, #8]
	mov	x0, #0x18		/* SYS_EXIT */
	hlt	#0xf000
2:	b	2b
