/* Structures that the tables of android16-6.12 and android17-6.18 pass around. */
#ifndef __ASM_PKVM_MODULE_OPS_LATER_TYPES_H
#define __ASM_PKVM_MODULE_OPS_LATER_TYPES_H

/* A block of 2^order pages in a list that is donated as a whole. */
struct pkvm_sglist_page {
	u64 pfn : 40;
	u8 order;
} __packed;
static_assert(sizeof(struct pkvm_sglist_page) == 6);

/*
 * A source of entropy for guests. NON-SPEC: the argument and result types of trng_uuid are a guess.
 */
struct pkvm_module_trng_ops {
	const void *trng_uuid;
	u64 (*trng_rnd64)(u64 *entropy, int bits);
	ANDROID_KABI_RESERVE_RANGE(1, 2);
};
static_assert(sizeof(struct pkvm_module_trng_ops) == 32);

#endif
