/* Addresses of the linear map. */
#ifndef __LINUX_IO_H
#define __LINUX_IO_H

#include <asm/memory.h>

#endif
