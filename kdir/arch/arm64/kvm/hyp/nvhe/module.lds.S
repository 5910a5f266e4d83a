/* How the EL2 objects are laid out: four sections that are mapped at EL2, on pages of their own. */
#include <asm/hyp_image.h>

SECTIONS {
	HYP_SECTION(.hyp.text, *(.text .text.*))
	HYP_SECTION(.hyp.bss, *(.bss .bss.* COMMON))
	HYP_SECTION(.hyp.rodata, *(.rodata .rodata.* .data.rel.ro .data.rel.ro.*
		.data..ro_after_init))
	HYP_SECTION(.hyp.data, *(.data .data.*))
}
