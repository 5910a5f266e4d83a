/* What makes an object a module: struct module, its init and exit, and the texts of .modinfo. */
#ifndef __LINUX_MODULE_H
#define __LINUX_MODULE_H

#include <linux/build_bug.h>
#include <linux/errno.h>
#include <linux/export.h>
#include <linux/init.h>
#include <linux/kernel.h>
#include <linux/moduleparam.h>
#include <linux/stringify.h>
#include <linux/string.h>
#include <linux/types.h>
#include <asm/module.h>

#define MODULE_NAME_LEN 56

enum module_state {
	MODULE_STATE_LIVE,
	MODULE_STATE_COMING,
	MODULE_STATE_GOING,
	MODULE_STATE_UNFORMED,
};

/*
 * NON-SPEC: a kernel's struct module follows from its configuration, and only the kernel that loads
 * a module knows it. Module code touches name, init, exit and arch.hyp; these are named, at the
 * places that asm/module-layout.h gives, and the rest is left blank. A module built by a kernel's
 * own tree has them elsewhere: its init and exit are where the relocations of
 * .gnu.linkonce.this_module point from.
 */
struct module {
	enum module_state state;
	struct list_head list;
	char name[MODULE_NAME_LEN];
	u8 __before_init[STRUCT_MODULE_INIT - STRUCT_MODULE_NAME - MODULE_NAME_LEN];
	int (*init)(void);
	u8 __before_arch_hyp[STRUCT_MODULE_ARCH_HYP - STRUCT_MODULE_INIT - 8];
	struct mod_arch_specific arch;
	u8 __before_exit[STRUCT_MODULE_EXIT - STRUCT_MODULE_ARCH_HYP -
			 sizeof(struct mod_arch_specific)];
	void (*exit)(void);
	u8 __to_the_end[STRUCT_MODULE_SIZE - STRUCT_MODULE_EXIT - 8];
} __aligned(64);

static_assert(offsetof(struct module, name) == STRUCT_MODULE_NAME);
static_assert(offsetof(struct module, init) == STRUCT_MODULE_INIT);
static_assert(offsetof(struct module, arch.hyp) == STRUCT_MODULE_ARCH_HYP);
static_assert(offsetof(struct module, exit) == STRUCT_MODULE_EXIT);
static_assert(sizeof(struct module) == STRUCT_MODULE_SIZE);

int init_module(void);
void cleanup_module(void);

/*
 * The function also gets the name that modpost looks for, and a reference that keeps the compiler
 * from dropping it.
 */
#define module_init(function)								\
	static inline initcall_t __maybe_unused __inittest(void) { return function; }	\
	int init_module(void) __copy(function) __alias(function);	\
	static void *__UNIQUE_ID(addressable_init_module) __used			\
		__section(".init.data") = (void *)&init_module
#define module_exit(function)								\
	static inline exitcall_t __maybe_unused __exittest(void) { return function; }	\
	void cleanup_module(void) __copy(function) __alias(function);	\
	static void *__UNIQUE_ID(addressable_cleanup_module) __used			\
		__section(".exit.data") = (void *)&cleanup_module

#define MODULE_LICENSE(text) MODULE_INFO(license, text)
#define MODULE_AUTHOR(text) MODULE_INFO(author, text)
#define MODULE_DESCRIPTION(text) MODULE_INFO(description, text)
#define MODULE_VERSION(text) MODULE_INFO(version, text)
#define MODULE_ALIAS(text) MODULE_INFO(alias, text)
#define MODULE_SOFTDEP(text) MODULE_INFO(softdep, text)
#define MODULE_IMPORT_NS(namespace) MODULE_INFO(import_ns, __stringify(namespace))

bool try_module_get(struct module *module);
void module_put(struct module *module);

/* One imported symbol's checksum, in __versions of a module built with CONFIG_MODVERSIONS. */
struct modversion_info {
	unsigned long crc;
	char name[56];
};
static_assert(sizeof(struct modversion_info) == 64);

#endif
