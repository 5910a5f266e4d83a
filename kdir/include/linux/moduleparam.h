/* Module parameters: one struct kernel_param each in __param, and its type in .modinfo. */
#ifndef __LINUX_MODULEPARAM_H
#define __LINUX_MODULEPARAM_H

#include <linux/compiler.h>
#include <linux/types.h>

struct module;
struct kernel_param;

/* One "tag=text" of .modinfo. */
#define MODULE_INFO(tag, text)								\
	static const char __UNIQUE_ID(modinfo_##tag)[] __used __section(".modinfo")	\
		__aligned(1) = #tag "=" text
#define MODULE_PARM_INFO(tag, name, text)						\
	static const char __UNIQUE_ID(name##tag)[] __used __section(".modinfo")		\
		__aligned(1) = #tag "=" #name ":" text

struct kernel_param_ops {
	unsigned int flags;
	int (*set)(const char *text, const struct kernel_param *kp);
	int (*get)(char *text, const struct kernel_param *kp);
	void (*free)(void *arg);
};

struct kernel_param {
	const char *name;
	struct module *mod;
	const struct kernel_param_ops *ops;
	const u16 perm;
	s8 level;
	u8 flags;
	union {
		void *arg;
		const struct kparam_string *str;
		const struct kparam_array *arr;
	};
};
_Static_assert(sizeof(struct kernel_param) == 40, "the kernel walks __param in steps of 40 bytes");

struct kparam_string {
	unsigned int maxlen;
	char *string;
};

extern const struct kernel_param_ops param_ops_bool, param_ops_byte, param_ops_charp,
	param_ops_int, param_ops_long, param_ops_short, param_ops_string, param_ops_uint,
	param_ops_ullong, param_ops_ulong, param_ops_ushort;

/*
 * In a module the name is plain and the level is -1; THIS_MODULE lets the kernel pin the
 * parameter's owner.
 */
#define __module_param_ops(param, text_type, param_ops, permissions, argument)		\
	static const char __param_str_##param[] = #param;				\
	static const struct kernel_param __param_##param __used __section("__param")	\
		__aligned(sizeof(void *)) = {						\
			.name = __param_str_##param,					\
			.mod = THIS_MODULE,						\
			.ops = param_ops,						\
			.perm = (permissions),						\
			.level = -1,							\
			.flags = 0,							\
			{ argument },							\
		};									\
	MODULE_PARM_INFO(parmtype, param, text_type)

/* The check that a parameter's variable has the type its name says; charp is a char pointer. */
#define __param_type_bool bool
#define __param_type_byte unsigned char
#define __param_type_charp char *
#define __param_type_int int
#define __param_type_long long
#define __param_type_short short
#define __param_type_uint unsigned int
#define __param_type_ullong unsigned long long
#define __param_type_ulong unsigned long
#define __param_type_ushort unsigned short

#define module_param_named(param, variable, type, permissions)				\
	static inline __param_type_##type *__maybe_unused __check_##param(void)		\
	{										\
		return &(variable);							\
	}										\
	__module_param_ops(param, #type, &param_ops_##type, permissions, &(variable))
#define module_param(variable, type, permissions) \
	module_param_named(variable, variable, type, permissions)
#define module_param_cb(param, param_ops, argument, permissions) \
	__module_param_ops(param, "callback", param_ops, permissions, argument)
#define module_param_string(param, buffer, length, permissions)				\
	static const struct kparam_string __param_string_##param = { length, buffer };	\
	__module_param_ops(param, "string", &param_ops_string, permissions,		\
			   (void *)&__param_string_##param)

#define MODULE_PARM_DESC(param, text) MODULE_PARM_INFO(parm, param, text)

#endif
