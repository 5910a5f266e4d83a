/* EL1 half: registers attach, count and detach. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_ring_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_ring_attach(struct kvm_cpu_context *ctx);
void __kvm_nvhe_ring_count(struct kvm_cpu_context *ctx);
void __kvm_nvhe_ring_detach(struct kvm_cpu_context *ctx);

static int __init race_between_cpus_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_ring_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_ring_attach, token);
	if (ret < 0)
		pr_err("race_between_cpus: no hypercall for ring_attach: %d\n", ret);
	else
		pr_info("race_between_cpus: ring_attach is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_ring_count, token);
	if (ret < 0)
		pr_err("race_between_cpus: no hypercall for ring_count: %d\n", ret);
	else
		pr_info("race_between_cpus: ring_count is hypercall %d\n", ret);
	ret = pkvm_register_el2_mod_call(__kvm_nvhe_ring_detach, token);
	if (ret < 0)
		pr_err("race_between_cpus: no hypercall for ring_detach: %d\n", ret);
	else
		pr_info("race_between_cpus: ring_detach is hypercall %d\n", ret);

	return 0;
}
module_init(race_between_cpus_init);
MODULE_LICENSE("GPL");
