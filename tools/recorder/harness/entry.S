// How one vector is entered by ERET from EL2, and how the state after it is caught in the vectors of EL2.

#include "layout.h"

// The comparator of a timer that stays off takes no part in any vector: it keeps x0 at a catch.
#define SCRATCH CNTHV_CVAL_EL2

    .section .text, "ax"
    .global _start
_start:
    ldr x0, =STACK_TOP
    mov sp, x0
    ldr x0, =vectors
    msr VBAR_EL2, x0
    msr OSLAR_EL1, xzr
    isb
    bl record_batch
    // SYS_EXIT_EXTENDED, ADP_Stopped_ApplicationExit, 0
    ldr x1, =semihosting_block
    ldr x2, =0x20026
    stp x2, xzr, [x1]
    mov x0, #0x18
    hlt #0xf000
    b .

// void run_vector(const struct entry *): returns when the vector is over, with `capture` filled.
    .global run_vector
run_vector:
    stp x19, x20, [sp, #-96]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    adrp x1, harness_sp
    mov x2, sp
    str x2, [x1, :lo12:harness_sp]
    ldp x1, x2, [x0, #ENTRY_PC]
    msr ELR_EL2, x1
    msr SPSR_EL2, x2
    ldp x1, x2, [x0, #ENTRY_SP_EL0]
    msr SP_EL0, x1
    msr SP_EL1, x2
    ldr x1, [x0, #ENTRY_SP_EL2]
    mov sp, x1
    clrex
    add x0, x0, #ENTRY_X
    ldp x2, x3, [x0, #16]
    ldp x4, x5, [x0, #32]
    ldp x6, x7, [x0, #48]
    ldp x8, x9, [x0, #64]
    ldp x10, x11, [x0, #80]
    ldp x12, x13, [x0, #96]
    ldp x14, x15, [x0, #112]
    ldp x16, x17, [x0, #128]
    ldp x18, x19, [x0, #144]
    ldp x20, x21, [x0, #160]
    ldp x22, x23, [x0, #176]
    ldp x24, x25, [x0, #192]
    ldp x26, x27, [x0, #208]
    ldp x28, x29, [x0, #224]
    ldr x30, [x0, #240]
    ldp x0, x1, [x0]
    eret

// x0 points to `capture`, x1 and the vector's number are saved, x0 itself is in SCRATCH.
caught:
    stp x2, x3, [x0, #16]
    stp x4, x5, [x0, #32]
    stp x6, x7, [x0, #48]
    stp x8, x9, [x0, #64]
    stp x10, x11, [x0, #80]
    stp x12, x13, [x0, #96]
    stp x14, x15, [x0, #112]
    stp x16, x17, [x0, #128]
    stp x18, x19, [x0, #144]
    stp x20, x21, [x0, #160]
    stp x22, x23, [x0, #176]
    stp x24, x25, [x0, #192]
    stp x26, x27, [x0, #208]
    stp x28, x29, [x0, #224]
    mrs x1, SCRATCH
    str x1, [x0]
    mov x1, sp
    stp x30, x1, [x0, #240]
    mrs x1, SP_EL0
    mrs x2, SP_EL1
    stp x1, x2, [x0, #CAPTURE_SP_EL0]
    mrs x1, ELR_EL2
    mrs x2, SPSR_EL2
    stp x1, x2, [x0, #CAPTURE_ELR]
    // PSTATE as the exception left it, in the places of SPSR_EL2.
    mrs x1, NZCV
    mrs x2, DAIF
    orr x1, x1, x2
#ifdef HAS_PAN
    mrs x2, PAN
    orr x1, x1, x2
#endif
#ifdef HAS_UAO
    mrs x2, UAO
    orr x1, x1, x2
#endif
#ifdef HAS_DIT
    mrs x2, DIT
    orr x1, x1, x2
#endif
#ifdef HAS_SSBS
    mrs x2, SSBS
    orr x1, x1, x2
#endif
#ifdef HAS_MTE
    mrs x2, TCO
    orr x1, x1, x2
#endif
    str x1, [x0, #CAPTURE_PSTATE]
    // What a vector switched on must not disturb the harness.
#ifdef HAS_PAN
    msr PAN, #0
#endif
    adrp x1, harness_sp
    ldr x2, [x1, :lo12:harness_sp]
    mov sp, x2
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #96
    ret

    .macro catch number
    .balign 128
    msr SCRATCH, x0
    adrp x0, capture
    add x0, x0, :lo12:capture
    str x1, [x0, #8]
    mov x1, #\number
    str x1, [x0, #CAPTURE_VECTOR]
    b caught
    .endm

// Two tables, so that a vector may write VBAR_EL2. A caught vector must not depend on which.
    .section .text.vectors, "ax"
    .balign 2048
vectors:
    .rept 2
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    catch \number
    .endr
    .balign 2048
    .endr

// Untaken: an exception to EL1 is seen by software step before its vector executes. Programs and
// vectors without software step come here, and go on to EL2.
    .section .text.el1, "ax"
    .balign 2048
    .rept 16
    .balign 128
    hvc #EL1_HVC
    .endr

    .bss
    .balign 64
    .global capture
capture:
    .skip CAPTURE_BYTES
harness_sp:
    .skip 8
    .balign 64
    .global semihosting_block
semihosting_block:
    .skip 64
