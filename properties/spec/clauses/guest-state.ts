// A hand-made guest for the tests of clauses: one VM with two vCPUs, the first loaded on CPU 0.

import type { Mutable } from "../../../model/transition.ts";
import type { Step } from "../../../spec/clause.ts";
import type { Action } from "../../../spec/types/action.ts";
import { pfn } from "../../../spec/types/address.ts";
import type { GuestAction } from "../../../spec/types/guest-action.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import type { HypVcpu, HypVm } from "../../../spec/types/hyp-vm.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import { GUEST_PAGE, GUEST_SHARED_PAGE } from "../../../spec/types/page.ts";
import { type Case, type Change, DEPRIVILEGED, like, step, takesPage } from "../tried.ts";

export const HANDLE = 0x1000;
export const PAGE = pfn(0x50030);
export const SHARED = pfn(0x50031);
/** Guest frame numbers of a page of its own, of a shared one, of a device that the guard knows. */
export const GFN = { own: 0x80000, shared: 0x80001, device: 0x9000 } as const;
export const IPA = 0x8000_0000n;
/** Physical addresses of the host's structures, and the kernel's address of the first. */
export const HOST = { first: 0x5001_0000n, second: 0x5001_4000n } as const;
export const FIRST_VA = HOST.first - 0x4000_0000n + 0xffff_ff80_0000_0000n;

const vcpu = (hostVcpu: bigint, power: HypVcpu["power"]): Mutable<HypVcpu> => ({
  hostVcpu,
  memory: pfn(0x50028),
  power,
  reset: undefined,
  memcache: [],
});

/** The VM, which a test may change. */
export const guestVm = (h: Mutable<Hyp>): Mutable<HypVm> => {
  const vm = h.vmTable.get(HANDLE);
  if (vm === undefined) throw new Error("the hand-made state has no VM");
  return vm as Mutable<HypVm>;
};
/** One of its vCPUs. */
export const guestVcpu = (h: Mutable<Hyp>, index = 0): Mutable<HypVcpu> => {
  const one = guestVm(h).vcpus[index];
  if (one === undefined) throw new Error("the hand-made state has no such vCPU");
  return one;
};

/** A protected guest without guard and firmware, entered before; its second vCPU is off. */
export const GUEST = like(DEPRIVILEGED, (h) => {
  const stage2 = {
    root: pfn(0x50024),
    pages: new Map([
      [GFN.own, { pfn: PAGE, state: "OWNED" as const }],
      [GFN.shared, { pfn: SHARED, state: "SHARED_OWNED" as const }],
    ]),
    guarded: new Set([GFN.device]),
    level2: new Map(),
    level3: new Map(),
    pool: [],
  };
  h.vmTable.set(HANDLE, {
    isProtected: true,
    hostKvm: 0x5000_0000n,
    memory: pfn(0x50020),
    lastRan: pfn(0x50023),
    createdVcpus: 2,
    vcpus: [vcpu(HOST.first, "ON"), vcpu(HOST.second, "OFF")],
    pvmfwLoadAddr: undefined,
    primaryVcpu: undefined,
    mmioGuard: false,
    isDying: false,
    stage2,
  });
  h.loaded = [{ handle: HANDLE, vcpu: 0 }, undefined];
  h.pages.set(PAGE, { ...GUEST_PAGE });
  h.pages.set(SHARED, { ...GUEST_SHARED_PAGE });
  h.memProtect = 1;
});

export const GUARDED = like(GUEST, (h) => {
  guestVm(h).mmioGuard = true;
});
export const UNPROTECTED = like(GUEST, (h) => {
  guestVm(h).isProtected = false;
});
/** Its second vCPU in another state of power. */
export const withSecond = (power: HypVcpu["power"]): Hyp =>
  like(GUEST, (h) => {
    guestVcpu(h, 1).power = power;
  });
/** The first vCPU has left for this. */
export const leftFor = (exit: NonNullable<HypVcpu["exit"]>): Hyp =>
  like(GUEST, (h) => {
    guestVcpu(h).exit = exit;
  });

/** HVC of the guest with x0 and up. */
export const call = (...x: readonly (number | bigint)[]) =>
  ({
    kind: "guest_hvc",
    cpu: 0,
    x: Array.from({ length: 18 }, (_, n) => BigInt(x[n] ?? 0)),
  }) as const satisfies GuestAction;

/** EL2, or the host, answers four registers. */
export const told = (...x: readonly bigint[]): Outcome => ({
  kind: "guest",
  x: [0, 1, 2, 3].map((n) => BigInt.asUintN(64, x[n] ?? 0n)),
});

/** The guest leaves with an HVC, and the host sees these registers. */
export const seen = (x: readonly bigint[] | undefined): Extract<Outcome, { kind: "exits" }> => ({
  kind: "exits",
  x,
  esr: 0x5a00_0000n,
  far: 0n,
  ipa: 0n,
  again: false,
});

/** It is told this and nothing changes; another answer is wrong, and a change is. */
export const telling = (pre: Hyp, action: Action, ...x: readonly bigint[]): Case => [
  step(pre, action, told(...x)),
  step(pre, action, told(77n)),
  step(pre, action, told(...x), takesPage),
];

/** A step that is right, the same with nothing changed, and with something else changed as well. */
export const changing = (
  pre: Hyp,
  action: Action,
  outcome: Outcome,
  change: Change,
  ...more: Step[]
): Case => [
  step(pre, action, outcome, change),
  step(pre, action, outcome),
  step(pre, action, outcome, (h) => {
    change(h);
    h.firmware.content = "image";
  }),
  ...more,
];
