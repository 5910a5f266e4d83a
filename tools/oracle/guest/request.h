/* One request of init to the kernel module: what to do at EL1, and afterwards what came of it. */
#ifndef PKVM_SPEC_ORACLE_REQUEST_H
#define PKVM_SPEC_ORACLE_REQUEST_H

enum { DO_HVC, DO_SMC, DO_LOAD, DO_STORE, DO_ALLOC };

#define REGISTERS 18

struct request {
	unsigned int what;
	unsigned int cpu;
	/* The immediate of an HVC; pages of an allocation. */
	unsigned int number;
	/* Out: 0, or what went wrong. -EFAULT is an abort that was fixed up. */
	int result;
	/* x0 to x17, in and out; [0] = physical address and [1] = value of an access; [0] = pfn. */
	unsigned long long x[REGISTERS];
};

#define REQUEST_PATH "pkvm-spec-oracle"
#define REQUEST_IOCTL 0x5053

#endif
