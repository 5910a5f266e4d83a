/* From a member to the structure that holds it. */
#ifndef __LINUX_CONTAINER_OF_H
#define __LINUX_CONTAINER_OF_H

#include <linux/stddef.h>

#define container_of(pointer, type, member) \
	((type *)((char *)(pointer) - offsetof(type, member)))

#endif
