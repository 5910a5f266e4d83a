/* Smaller and larger, each argument evaluated once. */
#ifndef __LINUX_MINMAX_H
#define __LINUX_MINMAX_H

#define min(x, y)				\
	({					\
		__typeof__(x) min_x = (x);	\
		__typeof__(y) min_y = (y);	\
		min_x < min_y ? min_x : min_y;	\
	})
#define max(x, y)				\
	({					\
		__typeof__(x) max_x = (x);	\
		__typeof__(y) max_y = (y);	\
		max_x > max_y ? max_x : max_y;	\
	})
#define min_t(type, x, y) min((type)(x), (type)(y))
#define max_t(type, x, y) max((type)(x), (type)(y))
#define clamp(value, low, high) min(max(value, low), high)

#endif
