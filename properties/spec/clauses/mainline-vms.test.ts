// The clauses about VMs of mainline 7.3, each on steps made by hand.

import { describe } from "vitest";
import { VM_DONATE } from "../../../spec/clauses/vm-donate.ts";
import { VM_RESERVED } from "../../../spec/clauses/vm-reserved.ts";
import type { Hvc } from "../../../spec/types/action.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import { type HypVm, KVM_MAX_PVMS } from "../../../spec/types/hyp-vm.ts";
import { GUEST_PAGE } from "../../../spec/types/page.ts";
import { VCPU as OFFSET } from "../../../spec/vm-layout.ts";
import {
  donate,
  initVcpu,
  initVm,
  reclaim,
  reserve,
  unreserve,
} from "../../support/mainline-vm-walks.ts";
import { AT, pa } from "../../support/vm-hypercalls.ts";
import {
  answered,
  answering,
  type Case,
  type Change,
  DONE,
  leaving,
  like,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";
import {
  both,
  done,
  dying,
  EMPTY_VM,
  frees,
  GFN,
  GUEST,
  given,
  HANDLE,
  HOST,
  KVM_PAGE,
  loads,
  mapping,
  owns,
  pins,
  ROOT,
  refused,
  running,
  setsVm,
  stored,
  TABLES,
  taken,
  telling,
  VCPU,
  VCPU_MEMORY,
  VCPU_PAGES,
  VM_MEMORY,
  wiped,
  withVcpu,
  withVm,
  zeroed,
} from "../vm-states.ts";

/** 4496 bytes, and a pointer for each of two vCPUs. */
const VM_BYTES = 4512;
const VCPU_BYTES = 8480;
const ROOT_BYTES = 8192;
const H = BigInt(HANDLE);

const on73 = (hyp: Hyp): Hyp => ({ ...hyp, config: { ...hyp.config, branch: "mainline-7.3" } });
const reserves =
  (...handles: readonly number[]): Change =>
  (hyp) => {
    for (const handle of handles) hyp.reservedHandles.add(handle);
  };
const releases: Change = (hyp) => {
  hyp.reservedHandles.delete(HANDLE);
};

const BARE = on73(HOST);
const RESERVED = like(BARE, reserves(HANDLE));
const FULL = like(BARE, reserves(...Array.from({ length: KVM_MAX_PVMS }, (_, n) => HANDLE + n)));
const OWN: Partial<HypVm> = { lastRan: undefined };
const WITH_VM = on73(withVm(OWN));
const WITH_VCPU = on73(withVcpu(OWN, { power: "ON", reset: undefined }));

/** x1 stays: nothing tells whether it was done. */
const silent = (pre: Hyp, action: Hvc, change?: Change): Case => {
  const good = step(pre, action, DONE, change);
  return [good, answering(good, answered(0)), leaving(good, takesPage)];
};

const MADE = [
  ...taken(VM_MEMORY),
  ...zeroed(VM_MEMORY, VM_BYTES),
  ...taken(ROOT),
  ...zeroed(ROOT, ROOT_BYTES),
];
const makes = both(
  setsVm({ ...EMPTY_VM, ...OWN }),
  releases,
  owns(...VM_MEMORY, ...ROOT),
  pins(1, KVM_PAGE),
);
const VCPU_MADE = [...taken(VCPU_MEMORY), ...zeroed(VCPU_MEMORY, VCPU_BYTES)];

describe("VMs of handles that are reserved", () => {
  tryClauses(VM_RESERVED, {
    "VM-90": refused(FULL, reserve, -12),
    "VM-91": done(RESERVED, reserve, answered(HANDLE + 1), reserves(HANDLE + 1), answered(HANDLE)),
    "VM-92": silent(WITH_VM, unreserve(H)),
    "VM-93": [
      ...silent(RESERVED, unreserve(H), releases),
      step(RESERVED, unreserve(H), DONE),
    ] as unknown as Case,
    "VM-94": refused(RESERVED, initVm({ handle: 0xfffn }), -22),
    "VM-95": refused(RESERVED, initVm({}, { hypVm: AT.kvm }), -12),
    "VM-96": wiped(RESERVED, initVm({}, { root: AT.hypVm }), -12, [VM_MEMORY, VM_BYTES]),
    "VM-97": wiped(
      RESERVED,
      initVm({}, { root: AT.root + 1n }),
      -12,
      [VM_MEMORY, VM_BYTES],
      [[ROOT[1]!, (ROOT[1]! + 1) as typeof GUEST], ROOT_BYTES],
    ),
    "VM-98": wiped(BARE, initVm(), -22, [VM_MEMORY, VM_BYTES], [ROOT, ROOT_BYTES]),
    "VM-99": [
      ...done(RESERVED, initVm(), telling(MADE, 0), makes, telling(MADE, HANDLE), answered(0)),
      step(RESERVED, initVm(), telling(MADE, 0), both(makes, reserves(HANDLE))),
      step(RESERVED, initVm(), telling(MADE, 0), both(makes, pins(-1, KVM_PAGE))),
    ],
    "VM-100": wiped(WITH_VM, initVcpu(0n, AT.guest), -16, [VCPU_MEMORY, VCPU_BYTES]),
    "VM-101": wiped(WITH_VM, initVcpu(2n), -22, [VCPU_MEMORY, VCPU_BYTES]),
    "VM-102": wiped(like(WITH_VCPU, frees(...VCPU_MEMORY)), initVcpu(0n), -22, [
      VCPU_MEMORY,
      VCPU_BYTES,
    ]),
    "VM-103": done(
      WITH_VM,
      initVcpu(0n),
      telling(VCPU_MADE, 0),
      both(
        setsVm({ ...EMPTY_VM, ...OWN, vcpus: [{ ...VCPU, power: "ON", reset: undefined }] }),
        owns(...VCPU_MEMORY),
        pins(1, ...VCPU_PAGES),
      ),
      answered(0),
    ),
  });
});

const CACHE = pa(AT.vcpu) + OFFSET.memcache;
const [FIRST, SECOND] = TABLES as [typeof GUEST, typeof GUEST];
const RUNNING = on73(running(OWN));
/** Nothing is listed: the host's list stays as it is. */
const NOTHING = [stored(CACHE, 0n), stored(CACHE + 8n, 0n)];
const gfn = BigInt(GFN);
const late = (action: Hvc, errno: number, pre = RUNNING): Case =>
  refused(pre, action, errno, NOTHING);

const DONATED = [
  ...NOTHING,
  ...taken([GUEST], "GUEST"),
  ...zeroed([FIRST], 4096),
  ...zeroed([SECOND], 4096),
];
const donates: Change = (hyp) => {
  setsVm({
    ...EMPTY_VM,
    ...OWN,
    vcpus: [VCPU],
    stage2: mapping("OWNED"),
  })(hyp);
  hyp.pages.set(GUEST, { ...GUEST_PAGE });
};

const OCCUPIED = like(RUNNING, (hyp) => {
  hyp.pages.set(GUEST, { ...GUEST_PAGE });
  hyp.vmTable.get(HANDLE)!.stage2.pages.set(GFN, { pfn: GUEST, state: "OWNED" });
});

const DYING = on73(
  like(dying("OWNED"), (hyp) => {
    hyp.vmTable.get(HANDLE)!.lastRan = undefined;
  }),
);
const RECLAIMED = [...zeroed([GUEST], 4096), ...zeroed([SECOND, FIRST], 8192), ...given([GUEST])];
const reclaims: Change = (hyp) => {
  const vm = hyp.vmTable.get(HANDLE)!;
  vm.stage2 = { ...EMPTY_VM.stage2, pool: [SECOND, FIRST] } as typeof vm.stage2;
  hyp.pages.delete(GUEST);
};

/** The list of the host is longer by one page than what the vCPU has. */
const TAKES_ONE = like(RUNNING, (hyp) => {
  hyp.vmTable.get(HANDLE)!.vcpus[0]!.memcache = [SECOND];
  hyp.pages.delete(FIRST);
});
const listOf = [FIRST, FIRST + 8].map((page) => BigInt(page));
const FILLED = [
  ...taken([FIRST]),
  stored(pa(BigInt(FIRST)), pa(BigInt(SECOND))),
  stored(CACHE, pa(listOf[1]!)),
  stored(CACHE + 8n, 1n),
];
const filling = step(TAKES_ONE, donate(AT.kvm, gfn, listOf), telling(FILLED, -1), (hyp) => {
  hyp.vmTable.get(HANDLE)!.vcpus[0]!.memcache = [FIRST, SECOND];
  owns(FIRST)(hyp);
});

describe("pages of guests of mainline 7.3", () => {
  tryClauses(VM_DONATE, {
    "VM-104": refused(like(RUNNING, loads(0, undefined)), donate(AT.guest, gfn), -22),
    "VM-105": refused(
      like(RUNNING, (hyp) => {
        hyp.vmTable.get(HANDLE)!.isProtected = false;
      }),
      donate(AT.guest, gfn),
      -22,
    ),
    "VM-106": refused(TAKES_ONE, donate(AT.guest, gfn, [0x7f400n, 0x7f401n]), -12),
    "VM-107": late(donate(0xf_ffff_ffff_ffffn, gfn), -22),
    "VM-108": late(donate(0x9000n, gfn), -1),
    "VM-109": late(donate(AT.guest, 1n << 28n), -34),
    "VM-110": late(donate(AT.other + 8n, gfn), -1, OCCUPIED),
    "VM-111": done(
      RUNNING,
      donate(AT.guest, gfn),
      telling(DONATED, 0),
      donates,
      telling(DONATED, -1),
    ),
    "VM-112": refused(DYING, reclaim(1n << 28n), -34),
    "VM-113": refused(DYING, reclaim(gfn + 1n), -2),
    "VM-114": done(
      DYING,
      reclaim(gfn),
      telling(RECLAIMED, 0),
      reclaims,
      telling(RECLAIMED.slice(1), 0),
    ),
    "VM-115": [
      filling,
      answering(filling, telling(FILLED.slice(0, 2), -1)),
      answering(filling, telling(FILLED.slice(1), -1)),
    ],
  });
});
