/* EL2 half: init says on EL2's console that it is there; nothing is wrong with it. */
#include <asm/kvm_pkvm_module.h>

static u64 reports;

int report_init(const struct pkvm_module_ops *ops)
{
	reports++;
	ops->puts("depends_on_another: EL2 half is up\n");
	return 0;
}
