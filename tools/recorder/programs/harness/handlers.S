// The vectors of every program, at EL1 and at EL2: they write down each exception and go on behind it.
// X28 points into the log, X25 counts; X26 and X27 are theirs.

#include "layout.h"

// What an exception at EL `el` does; `over` is where the program ends.
    .macro handler el, over
    add x25, x25, #1
    mrs x26, ESR_EL\el
    stp x27, x26, [x28]
    mrs x27, ELR_EL\el
    mrs x26, SPSR_EL\el
    stp x27, x26, [x28, #16]
    mrs x26, FAR_EL\el
    str x26, [x28, #32]
    // The next entry of 64 bytes; the log is a ring of one page.
    add x27, x28, #64
    bfi x28, x27, #0, #12
    cmp x25, #EXCEPTION_MAX
    b.hi \over
    mrs x26, ESR_EL\el
    lsr x27, x26, #26
    // SVC, HVC: ELR is behind them already.
    cmp x27, #0x15
    b.eq 1f
    cmp x27, #0x16
    b.eq 1f
    // A fetch that fails: back to the caller. Everything else: on to the next instruction.
    sub x27, x27, #0x20
    cmp x27, #2
    mrs x26, ELR_EL\el
    add x26, x26, #4
    csel x26, x30, x26, ls
    msr ELR_EL\el, x26
    eret
1:  mov x27, #END
    cmp x27, w26, uxth
    b.eq \over
    eret
    .endm

    .macro table
    .irp number, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
    .balign 128
    mov x27, #\number
    b 2f
    .endr
    .balign 128
    .endm

    .text
    table
2:  handler 1, 3f
3:  hvc #END
    .balign 4096
    table
2:  handler 2, 3f
3:  ldr x27, =CATCH
    br x27
    .ltorg
    .balign 4096
