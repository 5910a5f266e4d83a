// A guest without an operating system: it works through the table of a program, keeps a log of
// every step in its memory, hands the log out at the end and turns itself off.
//
// Everything is position dependent: the image is linked at 0x80000000, where its memory starts, and
// is entered at its first byte with translation off. A step and its log entry are 8 words:
//   hypercall  x0 (the id), x1, x2, x3 before; x0, x1, x2, x3 after
//   load       LOAD_MARK, address, ESR_EL1, FAR_EL1 of the abort (0: none), value, 0, 0, 0
//   store      STORE_MARK, address, ESR_EL1, FAR_EL1 of the abort (0: none), value, 0, 0, 0
// The log is handed out by 8-byte stores to the device at SINK.

	.equ	LOG, 0x80010000
	.equ	SINK, 0x09000000
	.equ	LOAD_MARK, 0x10ad001d
	.equ	STORE_MARK, 0x57e0001e
	.equ	STORED, 0x77
	.equ	PSCI_SYSTEM_OFF, 0x84000008

// The words of a program: one step each, 32 bytes in the table.
	.macro	call id, a1=0, a2=0, a3=0
	.quad	\id, \a1, \a2, \a3
	.endm
	.macro	load address
	.quad	LOAD_MARK, \address, 0, 0
	.endm
	.macro	store address
	.quad	STORE_MARK, \address, 0, 0
	.endm

	.text
	.globl	_start
_start:
	adr	x0, vectors
	msr	vbar_el1, x0
	isb
	ldr	x20, =LOG
	ldr	x25, =LOAD_MARK
	ldr	x26, =STORE_MARK
	adr	x19, program
	adr	x24, program_end

next_step:
	cmp	x19, x24
	b.hs	hand_out
	ldp	x0, x1, [x19], #16
	ldp	x2, x3, [x19], #16
	stp	x0, x1, [x20], #16
	mov	x21, xzr
	mov	x22, xzr
	cmp	x0, x25
	b.eq	do_load
	cmp	x0, x26
	b.eq	do_store
	stp	x2, x3, [x20], #16
	hvc	#0
	stp	x0, x1, [x20], #16
	stp	x2, x3, [x20], #16
	b	next_step
do_load:
	mov	x0, xzr
	ldr	x0, [x1]
	b	log_access
do_store:
	mov	x0, #STORED
	str	x0, [x1]
log_access:
	stp	x21, x22, [x20], #16
	stp	x0, xzr, [x20], #16
	stp	xzr, xzr, [x20], #16
	b	next_step

hand_out:
	ldr	x1, =LOG
	ldr	x3, =SINK
1:	cmp	x1, x20
	b.hs	2f
	ldr	x2, [x1], #8
	str	x2, [x3]
	b	1b
2:	ldr	x0, =PSCI_SYSTEM_OFF
	hvc	#0
	b	.
	.ltorg

	.balign	8
program:
	.include "program.s"
program_end:

// An abort of EL1 is noted in x21 and x22 and its instruction skipped; nothing else is expected.
	.balign	2048
vectors:
	.rept	4
	.balign	128
	b	.
	.endr
	.balign	128
	mrs	x21, esr_el1
	mrs	x22, far_el1
	mrs	x23, elr_el1
	add	x23, x23, #4
	msr	elr_el1, x23
	eret
	.rept	11
	.balign	128
	b	.
	.endr
