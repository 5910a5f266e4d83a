/* The kernel's exported string functions. */
#ifndef __LINUX_STRING_H
#define __LINUX_STRING_H

#include <linux/types.h>

void *memcpy(void *to, const void *from, size_t count);
void *memmove(void *to, const void *from, size_t count);
void *memset(void *to, int byte, size_t count);
int memcmp(const void *a, const void *b, size_t count);
void *memchr(const void *memory, int byte, size_t count);
size_t strlen(const char *string);
size_t strnlen(const char *string, size_t max);
int strcmp(const char *a, const char *b);
int strncmp(const char *a, const char *b, size_t max);
int strcasecmp(const char *a, const char *b);
char *strchr(const char *string, int byte);
char *strrchr(const char *string, int byte);
char *strstr(const char *string, const char *part);
char *strsep(char **string, const char *delimiters);
ssize_t strscpy(char *to, const char *from, size_t size);
char *kstrdup(const char *string, gfp_t gfp);

#endif
