/* A Linux program: arguments are the kernel and the iterations; prints the checksum, 16 hex digits. */
	.section .text.start, "ax"
	.global _start
_start:
	ldr	x19, [sp, #16]
	ldr	x20, [sp, #24]
	mov	x0, x19
	bl	number
	mov	x21, x0
	mov	x0, x20
	bl	number
	mov	x1, x0
	mov	x0, x21
	adrp	x2, scratch
	add	x2, x2, :lo12:scratch
	bl	bench
	sub	sp, sp, #32
	mov	x3, sp
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
	mov	w6, #'\n'
	strb	w6, [x3]
	mov	x0, #1			/* write(1, sp, 17) */
	mov	x1, sp
	mov	x2, #17
	mov	x8, #64
	svc	#0
	mov	x0, #0			/* exit(0) */
	mov	x8, #93
	svc	#0

number:	mov	x1, x0
	mov	x0, #0
2:	ldrb	w2, [x1], #1
	sub	w2, w2, #'0'
	cmp	w2, #9
	b.hi	3f
	mov	x3, #10
	madd	x0, x0, x3, x2
	b	2b
3:	ret

	.bss
	.balign	4096
scratch:
	.skip	1048576
