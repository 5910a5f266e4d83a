/* The kernel configuration that a module is built for, included before every other file. */
#ifndef __LINUX_KCONFIG_H
#define __LINUX_KCONFIG_H

/* What every supported KMI has. CONFIG_KMI_<branch> comes from the build (KMI=). */
#define CONFIG_64BIT 1
#define CONFIG_ARM64 1
#define CONFIG_ARM64_4K_PAGES 1
#define CONFIG_ARM64_PAGE_SHIFT 12
#define CONFIG_ARM64_VA_BITS 39
#define CONFIG_SMP 1
#define CONFIG_MODULES 1
#define CONFIG_MODULE_UNLOAD 1
#define CONFIG_KVM 1
#define CONFIG_BUG 1

/*
 * android14-6.1 has no CONFIG_LIST_HARDENED; the later branches do unless the build says
 * CONFIG_LIST_HARDENED=n.
 */
#if !defined(CONFIG_KMI_android14_6_1) && !defined(CONFIG_LIST_HARDENED_OFF)
#define CONFIG_LIST_HARDENED 1
#endif

/* IS_ENABLED(CONFIG_X): 1 if the option is defined as 1, otherwise 0. */
#define __IS_ENABLED_PLACEHOLDER_1 0,
#define __is_enabled_second(ignored, value, ...) value
#define __is_enabled_pick(placeholder) __is_enabled_second(placeholder 1, 0)
#define __is_enabled_join(value) __is_enabled_pick(__IS_ENABLED_PLACEHOLDER_##value)
#define IS_ENABLED(option) __is_enabled_join(option)
#define IS_BUILTIN(option) IS_ENABLED(option)

#endif
