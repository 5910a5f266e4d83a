/* The EL1 half of the module of "Implement a pKVM vendor module", with its errata mended. */
#include <linux/init.h>
#include <linux/module.h>
#include <linux/kernel.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_pkvm_driver_hyp_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_pkvm_driver_hyp_hvc(struct kvm_cpu_context *ctx);

static int hvc_number;

static int __init pkvm_driver_init(void)
{
	unsigned long token; /* E2: the page's second listing has a long */
	int ret;

	/* E3: the address of token */
	ret = pkvm_load_el2_module(__kvm_nvhe_pkvm_driver_hyp_init, &token);
	if (ret)
		return ret;

	/* E4: the semicolon */
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_pkvm_driver_hyp_hvc, token);
	if (ret < 0) {
		/* E13: an error from here would free memory that EL2 owns by now. */
		pr_err("pkvm_module: no hypercall: %d\n", ret);
		return 0;
	}

	hvc_number = ret;

	/* E14: the page's third listing, with its result used. */
	ret = pkvm_el2_mod_call(hvc_number);
	pr_info("pkvm_module: hypercall %d answers %d\n", hvc_number, ret);

	return 0;
}
module_init(pkvm_driver_init);
MODULE_LICENSE("GPL"); /* E9: without it modpost refuses the module */
