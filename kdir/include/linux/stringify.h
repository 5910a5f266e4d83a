/* A macro's value as text: __stringify is in linux/compiler.h. */
#include <linux/compiler.h>
