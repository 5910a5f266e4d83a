/* Everything that this name stands for is in linux/compiler.h. */
#include <linux/compiler.h>
