/* Protections of a mapping and the type of a descriptor. */
#ifndef __ASM_KVM_PGTABLE_H
#define __ASM_KVM_PGTABLE_H

#include <linux/bits.h>
#include <linux/types.h>

typedef u64 kvm_pte_t;

/*
 * Bits 0 to 3 as measured (traces ops*, operation 7); the others from asm/kvm_pgtable.h of the
 * common kernels.
 */
enum kvm_pgtable_prot {
	KVM_PGTABLE_PROT_X = BIT(0),
	KVM_PGTABLE_PROT_W = BIT(1),
	KVM_PGTABLE_PROT_R = BIT(2),
	KVM_PGTABLE_PROT_DEVICE = BIT(3),
	KVM_PGTABLE_PROT_NC = BIT(4),
	KVM_PGTABLE_PROT_PXN = BIT(5),
	KVM_PGTABLE_PROT_UXN = BIT(6),

	KVM_PGTABLE_PROT_SW0 = BIT(55),
	KVM_PGTABLE_PROT_SW1 = BIT(56),
	KVM_PGTABLE_PROT_SW2 = BIT(57),
	KVM_PGTABLE_PROT_SW3 = BIT(58),
};

#define KVM_PGTABLE_PROT_RW (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_W)
#define KVM_PGTABLE_PROT_RX (KVM_PGTABLE_PROT_R | KVM_PGTABLE_PROT_X)
#define KVM_PGTABLE_PROT_RWX (KVM_PGTABLE_PROT_RW | KVM_PGTABLE_PROT_X)

#define PAGE_HYP KVM_PGTABLE_PROT_RW
#define PAGE_HYP_EXEC KVM_PGTABLE_PROT_RX
#define PAGE_HYP_RO KVM_PGTABLE_PROT_R
#define PAGE_HYP_DEVICE (PAGE_HYP | KVM_PGTABLE_PROT_DEVICE)

#endif
