// The clauses about pages that come to a guest, come back, and all that a VM was made of.

import { describe } from "vitest";
import type { Step } from "../../../spec/clause.ts";
import { VM_MAP } from "../../../spec/clauses/vm-map.ts";
import { VM_TEARDOWN } from "../../../spec/clauses/vm-teardown.ts";
import type { MemoryEvent } from "../../../spec/types/memory-event.ts";
import { GUEST_PAGE, HYP_PAGE, LENT_PAGE } from "../../../spec/types/page.ts";
import { KVM, VCPU as VCPU_AT } from "../../../spec/vm-layout.ts";
import { AT, finalize, map, pa, reclaim, start } from "../../support/vm-hypercalls.ts";
import {
  answered,
  answering,
  type Case,
  leaving,
  like,
  panicked,
  step,
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
  KVM_PAGE,
  LAST_RAN,
  listed,
  loads,
  mapping,
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
  withVcpu,
  withVm,
  zeroed,
} from "../vm-states.ts";

const H = BigInt(HANDLE);
const IPA = BigInt(GFN) << 12n;
const TABLE_LIST = pa(AT.kvm) + KVM.teardownStage2Mc;
const METADATA_LIST = pa(AT.kvm) + KVM.teardownMc;

/** The host's list of the vCPU, as EL2 writes it back: nothing was on it. */
const UNTOUCHED = [
  stored(pa(AT.vcpu) + VCPU_AT.memcache, 0n),
  stored(pa(AT.vcpu) + VCPU_AT.memcache + 8n, 0n),
];

/** A refusal with two pages for tables: the list is written back. */
const late = (frame: bigint, gfn: bigint, errno: number): Case =>
  refused(running(), map(frame, gfn), errno, UNTOUCHED);

const LIST = [AT.tables, AT.tables + 1n];
const FILLED = [
  ...taken(TABLES),
  stored(pa(AT.vcpu) + VCPU_AT.memcache, 0n),
  stored(pa(AT.vcpu) + VCPU_AT.memcache + 8n, 0n),
];
/** Without pages for tables, and with two on the host's list. */
const POOR = like(withVcpu(), loads(0, 0));
const BEYOND = 0x1000_0000n;
const takesTables = (h: Parameters<ReturnType<typeof frees>>[0]): void => {
  for (const page of TABLES) h.pages.set(page, { ...HYP_PAGE });
};
const fills = both(
  setsVm({ ...EMPTY_VM, vcpus: [{ ...VCPU, memcache: TABLES.toReversed() }] }),
  takesTables,
);

const MAPPED = [...UNTOUCHED, ...taken([GUEST], "GUEST"), ...zeroed(TABLES, 8192)];
const maps = both(setsVm({ ...EMPTY_VM, vcpus: [VCPU], stage2: mapping("OWNED") }), (h) => {
  h.pages.set(GUEST, { ...GUEST_PAGE });
  h.memProtect = 1;
});
const lends = both(
  setsVm({ ...EMPTY_VM, isProtected: false, vcpus: [VCPU], stage2: mapping("SHARED_BORROWED") }),
  (h) => {
    h.pages.set(GUEST, { ...LENT_PAGE });
  },
);
const FIRMWARE = like(running({ pvmfwLoadAddr: IPA + 0x800n }), (h) => {
  h.firmware.advertisedBytes = 0x1000;
});
const WITH_FIRMWARE = like(running({ pvmfwLoadAddr: IPA }), (h) => {
  h.firmware.advertisedBytes = 0x1000;
});

describe("pages come to a guest", () => {
  tryClauses(VM_MAP, {
    "VM-60": refused(withVcpu(), map(AT.guest, BigInt(GFN)), -22),
    "VM-61": refused(POOR, map(AT.guest, BEYOND), -12, UNTOUCHED),
    "VM-62": late(0xf_ffff_ffff_ffffn, BigInt(GFN), -22),
    "VM-63": late(BEYOND, BigInt(GFN), -34),
    "VM-64": late(AT.kvm, BigInt(GFN), -1),
    "VM-65": late(0x9000n, BigInt(GFN), -1),
    "VM-66": late(AT.guest, 0xf_ffff_ffff_ffffn, -22),
    "VM-67": late(AT.guest, BEYOND, -34),
    "VM-68": refused(
      like(running({ stage2: mapping("OWNED") }), (h) => {
        h.pages.set(GUEST, { ...GUEST_PAGE });
      }),
      map(AT.guest + 1n, BigInt(GFN)),
      -1,
      UNTOUCHED,
    ),
    "VM-69": [
      step(FIRMWARE, map(AT.guest, BigInt(GFN)), panicked("DONATE_MAP_FAILED")),
      step(FIRMWARE, map(AT.guest, BigInt(GFN)), answered(0)),
    ],
    "VM-70": [
      step(POOR, map(AT.guest, BEYOND, LIST), telling(FILLED, -34), fills),
      step(POOR, map(AT.guest, BEYOND, LIST), telling(FILLED.slice(2), -34), fills),
      step(POOR, map(AT.guest, BEYOND, LIST), telling(FILLED.slice(0, 3), -34), fills),
      step(POOR, map(AT.guest, BEYOND, LIST), telling(FILLED.toSpliced(2, 1), -34), fills),
    ],
    "VM-71": [
      ...done(running(), map(AT.guest, BigInt(GFN)), telling(MAPPED, 0), maps),
      step(running(), map(AT.guest, BigInt(GFN)), telling(MAPPED, 0), (h) => {
        maps(h);
        h.memProtect = 0;
      }),
      step(running(), map(AT.guest, BigInt(GFN)), telling(MAPPED, 0), (h) => {
        maps(h);
        h.pages.delete(GUEST);
      }),
      step(running(), map(AT.guest, BigInt(GFN)), telling(MAPPED.slice(0, 3), 0), maps),
      step(
        running(),
        map(AT.guest, BigInt(GFN)),
        telling([...MAPPED, { kind: "copy", from: TABLES[0]!, to: GUEST }], 0),
        maps,
      ),
      step(WITH_FIRMWARE, map(AT.guest, BigInt(GFN)), telling(MAPPED, 0), (h) => {
        maps(h);
        setsVm({
          ...EMPTY_VM,
          pvmfwLoadAddr: IPA,
          vcpus: [VCPU],
          stage2: mapping("OWNED"),
        })(h);
      }),
    ],
    "VM-72": [
      ...done(
        running({ isProtected: false }),
        map(AT.guest, BigInt(GFN)),
        telling([...UNTOUCHED, ...zeroed(TABLES, 8192)], 0),
        lends,
      ),
      step(
        running({ isProtected: false }),
        map(AT.guest, BigInt(GFN)),
        telling([...UNTOUCHED, ...zeroed(TABLES, 8192)], 0),
        (h) => {
          lends(h);
          h.memProtect = 1;
        },
      ),
    ],
  });
});

/** The private page is emptied and given, then the two tables hang in the host's list. */
const RECLAIMED = [
  ...zeroed([TABLES[1]!], 4096),
  ...zeroed([TABLES[0]!], 4096),
  ...zeroed([GUEST], 4096),
  ...given([GUEST]),
  ...listed(TABLE_LIST, TABLES.toReversed()),
  ...given(TABLES),
];
const reclaims = both(
  setsVm({ ...EMPTY_VM, isDying: true, vcpus: [VCPU] }),
  frees(GUEST, ...TABLES),
  (h) => {
    h.memProtect = 0;
  },
);

const METADATA = [...VCPU_MEMORY, LAST_RAN, ...VM_MEMORY];
const CACHE = TABLES;
const END: readonly MemoryEvent[] = [
  { kind: "flush vmid", vmid: 1 },
  ...zeroed(ROOT, 8192),
  ...zeroed(METADATA, 4096 * METADATA.length),
  ...listed(TABLE_LIST, [...ROOT, ...CACHE]),
  ...listed(METADATA_LIST, METADATA),
  ...given([...ROOT, ...CACHE, ...METADATA]),
];
const ENDING = withVcpu({ isDying: true }, { memcache: CACHE });
const ends = both(
  (h) => h.vmTable.delete(HANDLE),
  frees(...ROOT, ...CACHE, ...METADATA),
  pins(-1, KVM_PAGE, ...VCPU_PAGES),
);
const ended = (events: readonly MemoryEvent[]): Step =>
  step(ENDING, finalize(H), telling(events, 0), ends);
const without = (kind: MemoryEvent["kind"]): readonly MemoryEvent[] =>
  END.filter((event) => event.kind !== kind);

describe("a VM ends", () => {
  tryClauses(VM_TEARDOWN, {
    "VM-40": refused(withVcpu(), start(0n), -2),
    "VM-41": [
      step(running(), start(H), panicked("TEARDOWN_WHILE_LOADED")),
      step(running(), start(H), answered(-16)),
    ],
    "VM-42": refused(withVm({ isDying: true }), start(H), -22),
    "VM-43": done(withVm(), start(H), answered(0), setsVm({ ...EMPTY_VM, isDying: true })),
    "VM-45": refused(withVm(), reclaim(H, AT.guest, IPA), -22),
    "VM-46": refused(dying("OWNED"), reclaim(H, AT.guest, 1n << 40n), -34),
    "VM-47": refused(dying("OWNED"), reclaim(H, AT.guest, 0n), -22),
    "VM-48": refused(dying("OWNED"), reclaim(H, AT.guest + 1n, IPA), -1),
    "VM-49": [
      ...done(
        dying("OWNED"),
        reclaim(H, AT.guest + (1n << 52n), IPA + 8n),
        telling(RECLAIMED, 0),
        reclaims,
        telling(RECLAIMED.toSpliced(2, 1), 0),
        telling(RECLAIMED.toSpliced(2, 2, ...given([GUEST]), ...zeroed([GUEST], 4096)), 0),
        telling(RECLAIMED.slice(0, 4), 0),
      ),
      step(dying("OWNED"), reclaim(H, AT.guest, IPA), telling(RECLAIMED, 0), (h) => {
        reclaims(h);
        h.memProtect = 1;
      }),
      step(dying("OWNED"), reclaim(H, AT.guest, IPA), telling(RECLAIMED, 0), (h) => {
        reclaims(h);
        h.pages.set(GUEST, { ...GUEST_PAGE });
      }),
    ],
    "VM-50": refused(withVm(), finalize(0n), -2),
    "VM-51": refused(withVm(), finalize(H), -16),
    "VM-52": [
      step(like(ENDING, frees(LAST_RAN)), finalize(H), panicked("EL2_ABORT")),
      step(like(ENDING, frees(LAST_RAN)), finalize(H), answered(0)),
    ],
    "VM-53": [
      ...done(ENDING, finalize(H), telling(END, 0), ends),
      leaving(ended(END), pins(1, KVM_PAGE)),
      leaving(ended(END), setsVm(EMPTY_VM)),
    ],
    "VM-54": [ended(END), ended(without("flush vmid")), ended([...END.slice(1), END[0]!])],
    "VM-55": [
      ended(END),
      ended(without("store")),
      ended([...END, stored(METADATA_LIST, pa(AT.lastRan))]),
      ended([...END, stored(TABLE_LIST + 8n, 3n)]),
      ended([...END, stored(pa(AT.root + 1n), 0n)]),
    ],
    "VM-56": [
      ended(END),
      ended(without("zero")),
      ended([...END.filter(({ kind }) => kind === "give"), ...without("give")]),
      ended(
        END.flatMap((event) =>
          event.kind === "zero" ? [event, stored(pa(BigInt(event.page)) + 8n, 1n)] : [event],
        ),
      ),
    ],
    "VM-57": [
      ended(END),
      ended(without("give")),
      answering(step(running(), map(AT.guest, BigInt(GFN)), answered(0), maps), answered(0)),
    ],
  });
});
