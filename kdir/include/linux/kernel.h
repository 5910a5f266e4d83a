/* What nearly every module uses: sizes, minimum and maximum, conversions from text. */
#ifndef __LINUX_KERNEL_H
#define __LINUX_KERNEL_H

#include <linux/bits.h>
#include <linux/build_bug.h>
#include <linux/compiler.h>
#include <linux/container_of.h>
#include <linux/errno.h>
#include <linux/limits.h>
#include <linux/minmax.h>
#include <linux/printk.h>
#include <linux/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))
#define ALIGN(x, size) (((x) + ((__typeof__(x))(size) - 1)) & ~((__typeof__(x))(size) - 1))
#define ALIGN_DOWN(x, size) ((x) & ~((__typeof__(x))(size) - 1))
#define IS_ALIGNED(x, size) (((x) & ((__typeof__(x))(size) - 1)) == 0)
#define DIV_ROUND_UP(n, d) (((n) + (d) - 1) / (d))
#define upper_32_bits(n) ((u32)((u64)(n) >> 32))
#define lower_32_bits(n) ((u32)(n))

long simple_strtol(const char *string, char **end, unsigned int base);
unsigned long simple_strtoul(const char *string, char **end, unsigned int base);
unsigned long long simple_strtoull(const char *string, char **end, unsigned int base);
int kstrtoint(const char *string, unsigned int base, int *result);
int kstrtouint(const char *string, unsigned int base, unsigned int *result);
int kstrtoull(const char *string, unsigned int base, unsigned long long *result);
__printf(3, 4) int snprintf(char *to, size_t size, const char *format, ...);
__printf(3, 4) int scnprintf(char *to, size_t size, const char *format, ...);
__printf(1, 2) void panic(const char *format, ...) __noreturn;

#endif
