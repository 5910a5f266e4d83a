/* The EL2 half of the module of "Implement a pKVM vendor module", for android14-6.1. */
#include <asm/kvm_pkvm_module.h>
#include <nvhe/trap_handler.h> /* E8: cpu_reg() is defined here, the page includes nothing for it */

/*
 * E10: without ops, nothing of this half could call the hypervisor after init. Not static: other
 * EL2 files want it.
 */
const struct pkvm_module_ops *pkvm_ops;

int pkvm_driver_hyp_init(const struct pkvm_module_ops *ops)
{
	/* Init the EL2 code */
	pkvm_ops = ops;

	return 0;
}

/*
 * E6: struct kvm_cpu_context is right for android14-6.1 only. E7: there the dispatcher has set x0,
 * later branches do not.
 */
void pkvm_driver_hyp_hvc(struct kvm_cpu_context *ctx)
{
	/* Handle the call */

	cpu_reg(ctx, 1) = 0;
}
