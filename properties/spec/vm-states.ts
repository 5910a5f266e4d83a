// States with VMs, made by hand, and steps of the hypercalls that make, load, map and end them.

import type { Step } from "../../spec/clause.ts";
import type { Hvc } from "../../spec/types/action.ts";
import { type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVcpu, HypVm } from "../../spec/types/hyp-vm.ts";
import type { MemoryEvent } from "../../spec/types/memory-event.ts";
import { after, type Outcome } from "../../spec/types/outcome.ts";
import { GUEST_PAGE, HYP_PAGE, LENT_PAGE, SHARED_PAGE } from "../../spec/types/page.ts";
import { AT, pa } from "../support/vm-hypercalls.ts";
import {
  answered,
  answering,
  type Case,
  type Change,
  leaving,
  like,
  step,
  TRUSTED,
  takesPage,
} from "./tried.ts";

export const frame = (at: bigint): Pfn => pfn(Number(at));
const run = (at: bigint, count: number): readonly Pfn[] =>
  Array.from({ length: count }, (_, n) => frame(at + BigInt(n)));

export const HANDLE = 0x1000;
export const KVM_PAGE = frame(AT.kvm);
export const VCPU_PAGES = run(AT.vcpu, 3);
export const OTHER_PAGES = run(AT.other, 3);
export const VM_MEMORY = run(AT.hypVm, 2);
export const LAST_RAN = frame(AT.lastRan);
export const ROOT = run(AT.root, 2);
export const VCPU_MEMORY = run(AT.hypVcpu, 3);
export const GUEST = frame(AT.guest);
export const TABLES = run(AT.tables, 2);
export const GFN = 0x80000;

export const owns =
  (...pages: readonly Pfn[]): Change =>
  (hyp) => {
    for (const page of pages) hyp.pages.set(page, { ...HYP_PAGE });
  };
export const frees =
  (...pages: readonly Pfn[]): Change =>
  (hyp) => {
    for (const page of pages) hyp.pages.delete(page);
  };
export const pins =
  (by: number, ...pages: readonly Pfn[]): Change =>
  (hyp) => {
    for (const page of pages) {
      const refcount = (hyp.pages.get(page)?.refcount ?? 0) + by;
      hyp.pages.set(page, { ...SHARED_PAGE, refcount });
    }
  };
export const both =
  (...changes: readonly Change[]): Change =>
  (hyp) => {
    for (const change of changes) change(hyp);
  };

/** The host shares its structures with the hypervisor. */
export const HOST: Hyp = like(TRUSTED, pins(0, KVM_PAGE, ...VCPU_PAGES, ...OTHER_PAGES));

export const EMPTY_VM: HypVm = {
  isProtected: true,
  hostKvm: pa(AT.kvm),
  memory: frame(AT.hypVm),
  lastRan: LAST_RAN,
  createdVcpus: 2,
  vcpus: [],
  pvmfwLoadAddr: undefined,
  primaryVcpu: undefined,
  mmioGuard: false,
  isDying: false,
  stage2: {
    root: frame(AT.root),
    pages: new Map(),
    guarded: new Set(),
    level2: new Map(),
    level3: new Map(),
    pool: [],
  },
};

export const VCPU: HypVcpu = {
  hostVcpu: pa(AT.vcpu),
  memory: frame(AT.hypVcpu),
  power: "ON_PENDING",
  reset: { pc: 0n, x0: 0n },
  memcache: [],
};

export const setsVm =
  (vm: HypVm, handle = HANDLE): Change =>
  (hyp) => {
    hyp.vmTable.set(handle, vm as never);
  };

/** A VM without vCPUs. */
export const withVm = (vm: Partial<HypVm> = {}): Hyp =>
  like(
    HOST,
    both(setsVm({ ...EMPTY_VM, ...vm }), owns(...VM_MEMORY, LAST_RAN, ...ROOT), pins(1, KVM_PAGE)),
  );

/** A VM with one vCPU. */
export const withVcpu = (vm: Partial<HypVm> = {}, vcpu: Partial<HypVcpu> = {}): Hyp =>
  like(
    withVm({ vcpus: [{ ...VCPU, ...vcpu }], ...vm }),
    both(owns(...VCPU_MEMORY, ...(vcpu.memcache ?? [])), pins(1, ...VCPU_PAGES)),
  );

export const loads =
  (cpu: number, vcpu: number | undefined): Change =>
  (hyp) => {
    hyp.loaded[cpu] = vcpu === undefined ? undefined : { handle: HANDLE, vcpu };
  };

/** The vCPU is loaded on CPU 0 and has two pages for tables. */
export const running = (vm: Partial<HypVm> = {}): Hyp =>
  like(withVcpu(vm, { memcache: TABLES }), loads(0, 0));

/** The stage 2 with one page of the guest's, in tables of its own. */
export const mapping = (state: "OWNED" | "SHARED_BORROWED"): HypVm["stage2"] => ({
  ...EMPTY_VM.stage2,
  pages: new Map([[GFN, { pfn: GUEST, state }]]),
  level2: new Map([[GFN >> 18, TABLES[0]!]]),
  level3: new Map([[GFN >> 9, TABLES[1]!]]),
});

/** A VM that is dying and still has a page. */
export const dying = (state: "OWNED" | "SHARED_BORROWED"): Hyp =>
  like(
    withVcpu({ isDying: true, isProtected: state === "OWNED", stage2: mapping(state) }),
    (hyp) => {
      owns(...TABLES)(hyp);
      hyp.pages.set(GUEST, { ...(state === "OWNED" ? GUEST_PAGE : LENT_PAGE) });
      if (state === "OWNED") hyp.memProtect = 1;
    },
  );

export const taken = (pages: readonly Pfn[], to: "HYP" | "GUEST" = "HYP"): MemoryEvent[] =>
  pages.map((page) => ({ kind: "take", page, to }));
export const given = (pages: readonly Pfn[]): MemoryEvent[] =>
  pages.map((page) => ({ kind: "give", page }));
export const zeroed = (pages: readonly Pfn[], bytes: number): MemoryEvent[] =>
  pages.map((page, n) => ({ kind: "zero", page, bytes: Math.min(4096, bytes - 4096 * n) }));
export const stored = (address: bigint, value: bigint): MemoryEvent => ({
  kind: "store",
  address,
  value,
});

/** Pages pushed onto an empty list of the host, and what its head and length are then. */
export const listed = (at: bigint, pages: readonly Pfn[]): MemoryEvent[] => [
  ...pages.map((page, n) => {
    const behind = pages[n - 1];
    return stored(pa(BigInt(page)), behind === undefined ? 0n : pa(BigInt(behind)));
  }),
  stored(at, pa(BigInt(pages.at(-1) ?? 0))),
  stored(at + 8n, BigInt(pages.length)),
];

/** An answer with what happened to memory before it. */
export const telling = (events: readonly MemoryEvent[], value: number | bigint): Outcome =>
  after(events, answered(value));

/** A refusal that must not be a success, and must change nothing. */
export const refused = (pre: Hyp, action: Hvc, errno: number, events: MemoryEvent[] = []): Case => {
  const good = step(pre, action, telling(events, errno));
  return [good, answering(good, telling(events, errno === 0 ? -12 : 0)), leaving(good, takesPage)];
};

/** A refusal after memory was taken, which comes back empty. */
export function wiped(
  pre: Hyp,
  action: Hvc,
  errno: number,
  ...memory: readonly (readonly [readonly Pfn[], number])[]
): Case {
  const takes = memory.flatMap(([pages, bytes]) => [...taken(pages), ...zeroed(pages, bytes)]);
  const empties = memory.flatMap(([pages, bytes]) => zeroed(pages, bytes));
  const gives = memory.flatMap(([pages]) => given(pages));
  const [good, ...bad] = refused(pre, action, errno, [...takes, ...empties, ...gives]);
  return [
    good,
    ...(bad as [Step, Step]),
    answering(good, answered(errno)),
    answering(good, telling([...taken(memory.flatMap(([pages]) => pages)), ...gives], errno)),
  ];
}

/** A success: it must answer so, change what it says, tell what it does, and nothing else. */
export function done(
  pre: Hyp,
  action: Hvc,
  outcome: Outcome,
  change: Change,
  ...worse: readonly Outcome[]
): Case {
  const good = step(pre, action, outcome, change);
  return [
    good,
    answering(good, answered(-1)),
    { ...good, post: pre },
    leaving(good, takesPage),
    ...worse.map((other) => answering(good, other)),
  ];
}
