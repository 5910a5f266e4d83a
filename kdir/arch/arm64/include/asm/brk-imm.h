/* Immediates of the BRK instructions that the kernel gives a meaning. */
#ifndef __ASM_BRK_IMM_H
#define __ASM_BRK_IMM_H

#define BUG_BRK_IMM 0x800
/* kCFI: bits 9:5 name the register of the target, bits 4:0 that of the type hash. */
#define CFI_BRK_IMM_BASE 0x8000

#endif
