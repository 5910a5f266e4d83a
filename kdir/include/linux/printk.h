/* Printing from EL1: one exported function, _printk, and the names of its levels. */
#ifndef __LINUX_PRINTK_H
#define __LINUX_PRINTK_H

#include <linux/compiler.h>
#include <linux/kern_levels.h>

__printf(1, 2) int _printk(const char *format, ...);

#ifndef pr_fmt
#define pr_fmt(format) format
#endif

#define printk(format, ...) _printk(format, ##__VA_ARGS__)
#define pr_emerg(format, ...) printk(KERN_EMERG pr_fmt(format), ##__VA_ARGS__)
#define pr_alert(format, ...) printk(KERN_ALERT pr_fmt(format), ##__VA_ARGS__)
#define pr_crit(format, ...) printk(KERN_CRIT pr_fmt(format), ##__VA_ARGS__)
#define pr_err(format, ...) printk(KERN_ERR pr_fmt(format), ##__VA_ARGS__)
#define pr_warn(format, ...) printk(KERN_WARNING pr_fmt(format), ##__VA_ARGS__)
#define pr_notice(format, ...) printk(KERN_NOTICE pr_fmt(format), ##__VA_ARGS__)
#define pr_info(format, ...) printk(KERN_INFO pr_fmt(format), ##__VA_ARGS__)
#define pr_cont(format, ...) printk(KERN_CONT format, ##__VA_ARGS__)

/* As in a kernel without dynamic debugging: the arguments are checked, nothing is printed. */
#define no_printk(format, ...)				\
	({						\
		if (0)					\
			_printk(format, ##__VA_ARGS__);	\
		0;					\
	})
#ifdef DEBUG
#define pr_debug(format, ...) printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#else
#define pr_debug(format, ...) no_printk(KERN_DEBUG pr_fmt(format), ##__VA_ARGS__)
#endif

#endif
