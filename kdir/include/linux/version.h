/* The version of the kernel that the module is built for. */
#ifndef __LINUX_VERSION_H
#define __LINUX_VERSION_H

#define KERNEL_VERSION(a, b, c) (((a) << 16) + ((b) << 8) + ((c) > 255 ? 255 : (c)))

#if defined(CONFIG_KMI_android14_6_1)
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 1, 145)
#elif defined(CONFIG_KMI_android15_6_6)
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 6, 0)
#elif defined(CONFIG_KMI_android16_6_12)
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 12, 0)
#elif defined(CONFIG_KMI_android17_6_18)
#define LINUX_VERSION_CODE KERNEL_VERSION(6, 18, 0)
#endif

#endif
