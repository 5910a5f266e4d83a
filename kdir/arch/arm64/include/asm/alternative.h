/* Alternatives: two versions of some instructions, of which the kernel keeps one. */
#ifndef __ASM_ALTERNATIVE_H
#define __ASM_ALTERNATIVE_H

/*
 * struct alt_instr, an entry of .altinstructions: 32-bit distances from themselves to the original
 * and to the replacement, the number of the CPU capability, and the length of each in bytes. Both
 * lengths must be equal, so the assembler refuses a replacement of another length. The replacement
 * lies in a subsection behind the code.
 */
#define ALTERNATIVE(original, replacement, capability)		\
	"661:	" original "\n"					\
	"662:\n"						\
	".pushsection .altinstructions, \"a\"\n"		\
	"	.word 661b - .\n"				\
	"	.word 663f - .\n"				\
	"	.hword " __stringify(capability) "\n"		\
	"	.byte 662b - 661b\n"				\
	"	.byte 664f - 663f\n"				\
	".popsection\n"						\
	".subsection 1\n"					\
	"663:	" replacement "\n"				\
	"664:\n"						\
	".org . - (664b - 663b) + (662b - 661b)\n"		\
	".org . - (662b - 661b) + (664b - 663b)\n"		\
	".previous\n"

/* NON-SPEC: capability numbers are generated anew for every kernel release; this one is made up. */
#define ARM64_HAS_LSE_ATOMICS 27

#endif
