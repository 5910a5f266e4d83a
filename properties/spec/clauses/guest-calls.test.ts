// The clauses about what EL2 answers a protected guest, each on steps made by hand.

import { GUEST_MEMORY_CALLS } from "../../../spec/clauses/guest-calls.ts";
import { GUEST_PSCI } from "../../../spec/clauses/guest-psci.ts";
import { PSCI, SMCCC } from "../../../spec/guest-calls.ts";
import { after, type Outcome } from "../../../spec/types/outcome.ts";
import { GUEST_PAGE, GUEST_SHARED_PAGE } from "../../../spec/types/page.ts";
import { answering, type Case, leaving, step, takesPage, tryClauses } from "../tried.ts";
import {
  call,
  changing,
  GFN,
  GUARDED,
  GUEST,
  guestVcpu,
  guestVm,
  IPA,
  PAGE,
  SHARED,
  seen,
  telling,
  told,
  UNPROTECTED,
  withSecond,
} from "./guest-state.ts";

const share = call(SMCCC.MEM_SHARE, IPA);
const shares = changing(GUEST, share, seen(share.x.slice(0, 4)), (h) => {
  guestVm(h).stage2.pages.set(GFN.own, { pfn: PAGE, state: "SHARED_OWNED" });
  h.pages.set(PAGE, { ...GUEST_SHARED_PAGE });
  h.memProtect = 0;
});
const unshare = call(SMCCC.MEM_UNSHARE, IPA + 0x1000n);
const unshares = step(GUEST, unshare, seen(unshare.x.slice(0, 4)), (h) => {
  guestVm(h).stage2.pages.set(GFN.shared, { pfn: SHARED, state: "OWNED" });
  h.pages.set(SHARED, { ...GUEST_PAGE });
  h.memProtect = 1;
});
const requested: Outcome = {
  ...seen([]),
  esr: 0x9000_0047n,
  ipa: IPA + 0x2000n,
  again: true,
} as Outcome;
const relinquish = call(SMCCC.MEM_RELINQUISH, IPA);
const zero = { kind: "zero", page: PAGE, bytes: 4096 } as const;
const give = { kind: "give", page: PAGE } as const;
const gone = seen(relinquish.x.slice(0, 4));
const gives = changing(GUEST, relinquish, after([zero, give], gone), (h) => {
  guestVm(h).stage2.pages.delete(GFN.own);
  h.pages.delete(PAGE);
  h.memProtect = 0;
});
const guardMap = (address: bigint) => call(SMCCC.MMIO_GUARD_MAP, address);
const lets = changing(GUARDED, guardMap(0x900_1000n), told(0n), (h) => {
  guestVm(h).stage2.guarded.add(0x9001);
});
const guardUnmap = call(SMCCC.MMIO_GUARD_UNMAP, 0x900_0004n);

const memory: Record<string, Case> = {
  "GUEST-20": telling(GUEST, call(SMCCC.MEM_SHARE, IPA, 1), -3n),
  "GUEST-21": telling(GUEST, call(SMCCC.MEM_RELINQUISH, 1n << 40n), -3n),
  "GUEST-22": [
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), requested),
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), told(-3n)),
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), { ...requested, again: false } as Outcome),
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), { ...requested, x: [1n] } as Outcome),
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), { ...requested, ipa: IPA } as Outcome),
    step(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x2000n), requested, takesPage),
  ],
  "GUEST-23": telling(GUEST, call(SMCCC.MEM_SHARE, IPA + 0x1000n), -3n),
  "GUEST-24": telling(GUEST, call(SMCCC.MEM_RELINQUISH, IPA + 0x2000n), 0n),
  "GUEST-25": [
    shares[0],
    ...shares.slice(1),
    answering(shares[0], told(0n)),
    leaving(shares[0], (h) => {
      h.memProtect = 1;
    }),
    answering(unshares, seen(unshare.x.slice(0, 3))),
  ] as unknown as Case,
  "GUEST-26": [
    gives[0],
    ...gives.slice(1),
    answering(gives[0], after([give, zero], gone)),
    answering(gives[0], gone),
    leaving(gives[0], (h) => {
      h.pages.set(PAGE, { ...GUEST_PAGE });
    }),
  ] as unknown as Case,
  "GUEST-27": telling(GUEST, call(SMCCC.HYP_MEMINFO), 0x1000n),
  "GUEST-28": telling(GUEST, call(SMCCC.MEM_SHARE, IPA + 1n), -3n),
  "GUEST-30": telling(GUEST, guardMap(0x900_0000n), -3n),
  "GUEST-31": telling(GUARDED, guardMap(0x900_0008n), -3n),
  "GUEST-32": telling(GUARDED, guardMap(1n << 40n), -3n),
  "GUEST-33": telling(GUARDED, guardMap(IPA), -3n),
  "GUEST-34": [lets[0], ...lets.slice(1), answering(lets[0], told(-3n))] as unknown as Case,
  "GUEST-35": changing(GUEST, call(SMCCC.MMIO_GUARD_ENROLL), told(0n), (h) => {
    guestVm(h).mmioGuard = true;
  }),
  "GUEST-36": changing(
    GUARDED,
    guardUnmap,
    told(0n),
    (h) => {
      guestVm(h).stage2.guarded.clear();
    },
    step(GUARDED, guardUnmap, told(0n), (h) => {
      guestVm(h).stage2.guarded.clear();
      guestVm(h).stage2.pages.delete(GFN.own);
    }),
  ),
};

tryClauses(GUEST_MEMORY_CALLS, memory);

const turnOn = call(PSCI.CPU_ON64, 1, IPA, 7);
const turnedOn = changing(GUEST, turnOn, seen(turnOn.x.slice(0, 2)), (h) => {
  Object.assign(guestVcpu(h, 1), { power: "ON_PENDING", reset: { pc: IPA, x0: 7n } });
});
const off = call(PSCI.SYSTEM_OFF, 5, 6, 7);

const power: Record<string, Case> = {
  "GUEST-40": telling(GUEST, call(PSCI.CPU_ON64, 1n << 40n), -2n),
  "GUEST-41": telling(GUEST, call(PSCI.CPU_ON64, 7), -2n),
  "GUEST-42": telling(withSecond("ON_PENDING"), turnOn, -5n),
  "GUEST-43": telling(GUEST, call(PSCI.CPU_ON64, 0), -4n),
  "GUEST-44": telling(GUEST, call(PSCI.AFFINITY_INFO64, 1n << 40n), -2n),
  "GUEST-45": telling(GUEST, call(PSCI.AFFINITY_INFO64, 0, 4), -2n),
  "GUEST-46": telling(GUEST, call(PSCI.AFFINITY_INFO64, 5), -2n),
  "GUEST-47": telling(GUEST, call(PSCI.FEATURES, PSCI.CPU_ON64), 0n),
  "GUEST-48": [
    turnedOn[0],
    ...turnedOn.slice(1),
    answering(turnedOn[0], seen(turnOn.x.slice(0, 4))),
  ] as unknown as Case,
  "GUEST-49": telling(withSecond("ON_PENDING"), call(PSCI.AFFINITY_INFO64, 1), 2n),
  "GUEST-50": telling(GUEST, call(0xdead), -1n),
  "GUEST-51": [
    step(GUEST, off, seen(off.x.slice(0, 1))),
    step(GUEST, off, seen(off.x.slice(0, 4))),
    step(GUEST, off, told(0n)),
    step(GUEST, off, seen(off.x.slice(0, 1)), takesPage),
  ],
  "GUEST-52": [
    step(UNPROTECTED, share, seen(undefined)),
    step(UNPROTECTED, share, seen(share.x.slice(0, 4))),
    step(UNPROTECTED, share, seen(undefined), takesPage),
  ],
};

tryClauses(GUEST_PSCI, power);
