/* Assertions that the compiler decides. */
#ifndef __LINUX_BUILD_BUG_H
#define __LINUX_BUILD_BUG_H

#define BUILD_BUG_ON_ZERO(condition) ((int)(sizeof(struct { int : (-!!(condition)); })))
#define BUILD_BUG_ON_MSG(condition, message) _Static_assert(!(condition), message)
#define BUILD_BUG_ON(condition) BUILD_BUG_ON_MSG(condition, "BUILD_BUG_ON failed: " #condition)
#define static_assert_1(condition, message, ...) _Static_assert(condition, message)
#define static_assert(condition, ...) static_assert_1(condition, ##__VA_ARGS__, #condition)

#endif
