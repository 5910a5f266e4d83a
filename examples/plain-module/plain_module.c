/*
 * A driver as any other, without .hyp.text.
 *
 * Shows that the list of protected modules may name it (a regulator or clock driver that an EL2
 * module needs): it loads, and nothing happens at EL2.
 */
#include <linux/module.h>

static int voltage = 1800;
module_param(voltage, int, 0400);
MODULE_PARM_DESC(voltage, "output in millivolts");

static int __init plain_module_init(void)
{
	if (voltage < 600 || voltage > 3300)
		return -ERANGE;
	pr_info("plain_module: %d mV\n", voltage);
	return 0;
}

static void __exit plain_module_exit(void)
{
	pr_info("plain_module: off\n");
}
module_init(plain_module_init);
module_exit(plain_module_exit);
MODULE_LICENSE("GPL");
