/* The hypervisor's ticket lock: EL2 is not preempted, so a lock is held for a few instructions. */
#ifndef __ARM64_KVM_NVHE_SPINLOCK_H__
#define __ARM64_KVM_NVHE_SPINLOCK_H__

#include <asm/barrier.h>
#include <linux/types.h>

typedef struct {
	u16 owner; /* the ticket that may go on */
	u16 next;  /* the ticket that the next CPU draws */
} hyp_spinlock_t;

#define __HYP_SPIN_LOCK_UNLOCKED ((hyp_spinlock_t){ 0, 0 })
#define DEFINE_HYP_SPINLOCK(name) hyp_spinlock_t name = { 0, 0 }

#define hyp_spin_lock_init(lock) (*(lock) = __HYP_SPIN_LOCK_UNLOCKED)

static inline void hyp_spin_lock(hyp_spinlock_t *lock)
{
	u16 ticket = __atomic_fetch_add(&lock->next, 1, __ATOMIC_ACQUIRE);

	while (smp_load_acquire(&lock->owner) != ticket)
		;
}

static inline void hyp_spin_unlock(hyp_spinlock_t *lock)
{
	smp_store_release(&lock->owner, (u16)(lock->owner + 1));
}

#endif
