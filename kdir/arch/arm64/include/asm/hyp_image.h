/* How the EL2 half of a module is named and laid out: sections, base symbols, prefix. */
#ifndef __ASM_HYP_IMAGE_H
#define __ASM_HYP_IMAGE_H

/* An EL2 symbol as EL1 sees it: objcopy has put the prefix before every name. */
#define kvm_nvhe_sym(sym) __kvm_nvhe_##sym

#ifdef __ASSEMBLY__
/*
 * One output section. Its start and, if anything is in it, its end lie on page boundaries: EL2 maps
 * whole pages, each section with a protection of its own. An empty section keeps size 0, which the
 * loader takes for absent. The symbol at its first byte is what the entries of .hyp.reloc are
 * relative to.
 */
#define HYP_SECTION(name, input)		\
	name 0 : ALIGN(4096) {			\
		__hyp_section_##name = .;	\
		input				\
		. = ALIGN(4096);		\
	}
#endif

#endif
