/*
 * EL1 half, built with -fsanitize=shadow-call-stack.
 *
 * Shows the stack behind x18: a function that calls others pushes its return address there and
 * returns to what it pops. The kernel sets x18 up for every task; EL2 code is built without it and
 * may use x18 as it likes.
 */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_sum_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_sum_hvc(struct kvm_cpu_context *ctx);

static int sum_number;

static noinline unsigned long sum(unsigned long a, unsigned long b)
{
	return pkvm_el2_mod_call(sum_number, a, b);
}

static noinline unsigned long sum_of_three(unsigned long a, unsigned long b, unsigned long c)
{
	return sum(a, sum(b, c)) + 0;
}

static int __init vendor_shadow_call_stack_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_sum_init, &token);
	if (ret)
		return ret;
	sum_number = pkvm_register_el2_mod_call(__kvm_nvhe_sum_hvc, token);
	if (sum_number >= 0)
		pr_info("vendor_shadow_call_stack: 1 + 2 + 3 is %lu\n", sum_of_three(1, 2, 3));
	return 0;
}
module_init(vendor_shadow_call_stack_init);
MODULE_LICENSE("GPL");
