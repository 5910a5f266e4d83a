// How a program is entered by ERET from EL2, and how it comes back. EL2 translation is on only here.

#include "layout.h"

    .section .text.trampoline, "ax"
// A fixed address: where the program's EL2 vectors go when it is over.
    .global catch
catch:
    msr TPIDR_EL2, x0
    ldr x0, =UNTRANSLATED
    msr SCTLR_EL2, x0
    isb
    adrp x0, capture
    add x0, x0, :lo12:capture
    stp x1, x2, [x0, #8]
    stp x3, x4, [x0, #24]
    stp x5, x6, [x0, #40]
    stp x7, x8, [x0, #56]
    stp x9, x10, [x0, #72]
    stp x11, x12, [x0, #88]
    stp x13, x14, [x0, #104]
    stp x15, x16, [x0, #120]
    stp x17, x18, [x0, #136]
    stp x19, x20, [x0, #152]
    stp x21, x22, [x0, #168]
    stp x23, x24, [x0, #184]
    stp x25, x26, [x0, #200]
    stp x27, x28, [x0, #216]
    stp x29, x30, [x0, #232]
    mrs x1, TPIDR_EL2
    str x1, [x0]
    // Only an exception that kept EL2t leaves SP_EL0 selected; every vector of EL2 selects SP_EL2.
    mov x1, sp
    mrs x2, SP_EL0
    mrs x3, SP_EL1
    stp x2, x3, [x0, #248]
    str x1, [x0, #264]
    adrp x1, harness_sp
    ldr x2, [x1, :lo12:harness_sp]
    mov sp, x2
    msr PAN, #0
    ldp x21, x22, [sp, #16]
    ldp x23, x24, [sp, #32]
    ldp x25, x26, [sp, #48]
    ldp x27, x28, [sp, #64]
    ldp x29, x30, [sp, #80]
    ldp x19, x20, [sp], #96
    ret

// void run_program(const u64 *entry): SPSR, SP_EL0, SP_EL1, SP_EL2, X0 to X30.
    .global run_program
run_program:
    stp x19, x20, [sp, #-96]!
    stp x21, x22, [sp, #16]
    stp x23, x24, [sp, #32]
    stp x25, x26, [sp, #48]
    stp x27, x28, [sp, #64]
    stp x29, x30, [sp, #80]
    adrp x1, harness_sp
    mov x2, sp
    str x2, [x1, :lo12:harness_sp]
    ldp x1, x2, [x0]
    msr SPSR_EL2, x1
    msr SP_EL0, x2
    ldp x1, x2, [x0, #16]
    msr SP_EL1, x1
    mov sp, x2
    ldr x1, =CODE
    msr ELR_EL2, x1
    clrex
    add x0, x0, #32
    ldr x1, [x0]
    msr TPIDR_EL2, x1
    ldp x1, x2, [x0, #8]
    ldp x3, x4, [x0, #24]
    ldp x5, x6, [x0, #40]
    ldp x7, x8, [x0, #56]
    ldp x9, x10, [x0, #72]
    ldp x11, x12, [x0, #88]
    ldp x13, x14, [x0, #104]
    ldp x15, x16, [x0, #120]
    ldp x17, x18, [x0, #136]
    ldp x19, x20, [x0, #152]
    ldp x21, x22, [x0, #168]
    ldp x23, x24, [x0, #184]
    ldp x25, x26, [x0, #200]
    ldp x27, x28, [x0, #216]
    ldp x29, x30, [x0, #232]
    ldr x0, =TRANSLATED
    msr SCTLR_EL2, x0
    isb
    mrs x0, TPIDR_EL2
    eret
    .ltorg

    .section .text.start, "ax"
    .global _start
_start:
    ldr x0, =STACK_TOP
    mov sp, x0
    ldr x0, =UNTRANSLATED
    msr SCTLR_EL2, x0
    isb
    bl run_batch
    // SYS_EXIT_EXTENDED, ADP_Stopped_ApplicationExit, 0
    adrp x1, semihosting_block
    add x1, x1, :lo12:semihosting_block
    ldr x2, =0x20026
    stp x2, xzr, [x1]
    mov x0, #0x18
    hlt #0xf000
    b .

    .bss
    .balign 64
    .global capture
capture:
    .skip 272
harness_sp:
    .skip 8
    .balign 64
    .global semihosting_block
semihosting_block:
    .skip 64
