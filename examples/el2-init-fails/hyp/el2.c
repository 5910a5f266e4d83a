/*
 * EL2 half: its init finds a device that it does not know and returns -ENODEV.
 *
 * Shows the plain failed load: with .hyp.text, .hyp.bss, .hyp.rodata and .hyp.data all present the
 * host takes its pages back, the load returns the error, modprobe fails and the list of modules
 * ends here.
 */
#include <asm/kvm_pkvm_module.h>

static const u32 known_devices[] = { 0x10, 0x11, 0x20 };
static volatile u32 device = 0x12;
static volatile u32 probes;

static bool is_known(u32 id)
{
	for (unsigned int i = 0; i < sizeof(known_devices) / sizeof(known_devices[0]); i++) {
		if (((const volatile u32 *)known_devices)[i] == id)
			return true;
	}
	return false;
}

int refusing_init(const struct pkvm_module_ops *ops)
{
	probes++;
	return is_known(device) ? 0 : -ENODEV;
}
