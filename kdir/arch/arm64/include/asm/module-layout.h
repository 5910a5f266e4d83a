/* Where module code finds the fields of struct module, for each KMI; see struct-module.json. */
#ifndef __ASM_MODULE_LAYOUT_H
#define __ASM_MODULE_LAYOUT_H

/*
 * NON-SPEC: the size for android14-6.1 is measured; all other numbers are ours. See linux/module.h.
 */
#define STRUCT_MODULE_NAME 0x18

#if defined(CONFIG_STRUCT_MODULE_vendor)
/* A kernel with another configuration: examples/vendor-struct-module. */
#define STRUCT_MODULE_SIZE 0x440
#define STRUCT_MODULE_INIT 0x178
#define STRUCT_MODULE_ARCH_HYP 0x2d8
#define STRUCT_MODULE_EXIT 0x3f0
#elif defined(CONFIG_KMI_android14_6_1)
#define STRUCT_MODULE_SIZE 0x2c0
#define STRUCT_MODULE_INIT 0x138
#define STRUCT_MODULE_ARCH_HYP 0x200
#define STRUCT_MODULE_EXIT 0x2a8
#elif defined(CONFIG_KMI_android15_6_6)
#define STRUCT_MODULE_SIZE 0x3c0
#define STRUCT_MODULE_INIT 0x140
#define STRUCT_MODULE_ARCH_HYP 0x240
#define STRUCT_MODULE_EXIT 0x398
#elif defined(CONFIG_KMI_android16_6_12)
#define STRUCT_MODULE_SIZE 0x480
#define STRUCT_MODULE_INIT 0x148
#define STRUCT_MODULE_ARCH_HYP 0x280
#define STRUCT_MODULE_EXIT 0x450
#elif defined(CONFIG_KMI_android17_6_18)
#define STRUCT_MODULE_SIZE 0x500
#define STRUCT_MODULE_INIT 0x150
#define STRUCT_MODULE_ARCH_HYP 0x2c0
#define STRUCT_MODULE_EXIT 0x4c8
#else
#error "KMI is not known: build through kdir/Makefile"
#endif

#endif
