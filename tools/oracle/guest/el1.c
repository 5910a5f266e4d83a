// Kernel module: makes raw HVCs, SMCs, loads and stores at EL1 on the CPU that a request names.

#include <linux/mm.h>
#include <linux/module.h>
#include <linux/proc_fs.h>
#include <linux/smp.h>
#include <linux/uaccess.h>
#include "request.h"

#define PAIR(insn, a, b, at) #insn " x" #a ", x" #b ", [x19, #" #at "]\n\t"
#define ALL_PAIRS(insn)                                                        \
	PAIR(insn, 0, 1, 0) PAIR(insn, 2, 3, 16) PAIR(insn, 4, 5, 32)          \
	PAIR(insn, 6, 7, 48) PAIR(insn, 8, 9, 64) PAIR(insn, 10, 11, 80)       \
	PAIR(insn, 12, 13, 96) PAIR(insn, 14, 15, 112) PAIR(insn, 16, 17, 128)

// A function NAME that executes INSTRUCTION with x0 to x17 from memory and stores them afterwards.
#define CALL(name, instruction)                                                \
	static noinline void name(unsigned long long *x)                       \
	{                                                                      \
		register unsigned long long *base asm("x19") = x;              \
		asm volatile(ALL_PAIRS(ldp) instruction "\n\t" ALL_PAIRS(stp)  \
			     : "+r"(base)                                      \
			     :                                                 \
			     : "x0", "x1", "x2", "x3", "x4", "x5", "x6", "x7", \
			       "x8", "x9", "x10", "x11", "x12", "x13", "x14",  \
			       "x15", "x16", "x17", "memory", "cc");           \
	}

CALL(hvc_0, "hvc #0")
CALL(hvc_1, "hvc #1")
CALL(hvc_5, "hvc #5")
CALL(hvc_ffff, "hvc #0xffff")
CALL(smc_0, "smc #0")

static int hvc(struct request *r)
{
	switch (r->number) {
	case 0:
		hvc_0(r->x);
		return 0;
	case 1:
		hvc_1(r->x);
		return 0;
	case 5:
		hvc_5(r->x);
		return 0;
	case 0xffff:
		hvc_ffff(r->x);
		return 0;
	default:
		return -EINVAL;
	}
}

static int load(struct request *r)
{
	void *at = phys_to_virt(r->x[0]);

	return copy_from_kernel_nofault(&r->x[1], at, sizeof(r->x[1]));
}

static int store(struct request *r)
{
	void *at = phys_to_virt(r->x[0]);

	pagefault_disable();
	__put_kernel_nofault(at, &r->x[1], u64, fault);
	pagefault_enable();
	return 0;
fault:
	pagefault_enable();
	return -EFAULT;
}

// Runs on the CPU that was asked for, with interrupts off.
static void perform(void *data)
{
	struct request *r = data;

	switch (r->what) {
	case DO_HVC:
		r->result = hvc(r);
		break;
	case DO_SMC:
		smc_0(r->x);
		r->result = 0;
		break;
	case DO_LOAD:
		r->result = load(r);
		break;
	case DO_STORE:
		r->result = store(r);
		break;
	default:
		r->result = -EINVAL;
	}
}

static int allocate(struct request *r)
{
	gfp_t zeroed = GFP_KERNEL | __GFP_ZERO;
	unsigned long pages = __get_free_pages(zeroed, get_order((size_t)r->number << PAGE_SHIFT));

	if (!pages)
		return -ENOMEM;
	r->x[0] = virt_to_phys((void *)pages) >> PAGE_SHIFT;
	return 0;
}

static long request_ioctl(struct file *file, unsigned int command, unsigned long argument)
{
	void __user *user = (void __user *)argument;
	struct request r;
	int error;

	if (command != REQUEST_IOCTL)
		return -ENOTTY;
	if (copy_from_user(&r, user, sizeof(r)))
		return -EFAULT;
	if (r.what == DO_ALLOC) {
		r.result = allocate(&r);
	} else {
		error = smp_call_function_single(r.cpu, perform, &r, 1);
		if (error)
			return error;
	}
	return copy_to_user(user, &r, sizeof(r)) ? -EFAULT : 0;
}

static const struct proc_ops operations = { .proc_ioctl = request_ioctl };

static int __init oracle_init(void)
{
	return proc_create(REQUEST_PATH, 0600, NULL, &operations) ? 0 : -ENOMEM;
}

module_init(oracle_init);
MODULE_DESCRIPTION("raw HVC, SMC, loads and stores at EL1");
MODULE_LICENSE("GPL");
