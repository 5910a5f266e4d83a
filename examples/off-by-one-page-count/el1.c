/* EL1 half: registers the handler that fills pages. */
#include <linux/module.h>
#include <asm/kvm_pkvm_module.h>

int __kvm_nvhe_fill_init(const struct pkvm_module_ops *ops);
void __kvm_nvhe_fill_pages(struct kvm_cpu_context *ctx);

static int __init off_by_one_page_count_init(void)
{
	unsigned long token;
	int ret;

	ret = pkvm_load_el2_module(__kvm_nvhe_fill_init, &token);
	if (ret)
		return ret;

	ret = pkvm_register_el2_mod_call(__kvm_nvhe_fill_pages, token);
	if (ret < 0)
		pr_err("off_by_one_page_count: no hypercall for fill_pages: %d\n", ret);
	else
		pr_info("off_by_one_page_count: fill_pages is hypercall %d\n", ret);

	return 0;
}
module_init(off_by_one_page_count_init);
MODULE_LICENSE("GPL");
