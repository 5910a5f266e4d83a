/* Slots that a KMI generation reserves in a structure, and what a later release put there. */
#ifndef __LINUX_ANDROID_KABI_H
#define __LINUX_ANDROID_KABI_H

#include <linux/types.h>

#define ANDROID_KABI_RESERVE(number) u64 android_kabi_reserved##number

/* The reserved slots first..last, one after another. */
#define ANDROID_KABI_RESERVE_RANGE(first, last) \
	u64 android_kabi_reserved##first##_to_##last[(last) - (first) + 1]

/* A used slot keeps the size and the alignment of a reserved one. */
#define ANDROID_KABI_USE(number, declaration)		\
	union {						\
		declaration;				\
		u64 android_kabi_used##number;		\
	}

#endif
