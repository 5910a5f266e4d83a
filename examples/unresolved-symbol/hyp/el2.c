/*
 * EL2 half: clears a ring buffer, and the compiler turns the loop into a call of memset.
 *
 * Shows a kernel function that EL2 code needs without its author noticing: the prefix makes it
 * __kvm_nvhe_memset, which no kernel exports. The build refuses it, unless it is told to warn only;
 * then the loader does.
 */
#include <asm/kvm_pkvm_module.h>

static struct {
	u64 head, tail;
	u64 slots[128];
} ring = { .head = 1 };

int ring_init(const struct pkvm_module_ops *ops)
{
	for (int i = 0; i < 128; i++)
		ring.slots[i] = 0;
	ring.tail = ring.head;
	return 0;
}
