/* Immediates of the BRK instructions that the kernel gives a meaning. */
#ifndef __ASM_BRK_IMM_H
#define __ASM_BRK_IMM_H

#define BUG_BRK_IMM 0x800
/*
 * kCFI: bits 9:5 number the register with the expected type hash, bits 4:0 the one with the target
 * address.
 */
#define CFI_BRK_IMM_BASE 0x8000

#endif
