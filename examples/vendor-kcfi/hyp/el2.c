/* EL2 half: init, and what the typed handler of el2-calls.S calls. */
#include <asm/kvm_pkvm_module.h>

const struct pkvm_module_ops *typed_ops;
u64 square(u64 x);
u64 square(u64 x) { return x * x; }

int typed_load(const struct pkvm_module_ops *ops);
int typed_load(const struct pkvm_module_ops *ops)
{
	typed_ops = ops;
	return 0;
}
