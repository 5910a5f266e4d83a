// Every invariant on a state that it accepts and on states that it rejects, made by hand.

import { describe, expect, test } from "vitest";
import { INVARIANTS } from "../../spec/registry.ts";
import { hypVa, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HYP_PAGE, PLAIN_PAGE } from "../../spec/types/page.ts";
import {
  BASE,
  type Change,
  DATA_PFN,
  DEPRIVILEGED,
  HANDLER,
  LOADED,
  like,
  MAPPED,
  POWER_ON,
  recordOf,
  TEXT_PFN,
  TEXT_VA,
  TRUSTED,
  vmLike,
} from "./tried.ts";
import {
  dying,
  EMPTY_VM,
  frees,
  GUEST,
  HANDLE,
  KVM_PAGE,
  LAST_RAN,
  loads,
  owns,
  pins,
  ROOT,
  setsVm,
  VCPU_PAGES,
  withVcpu,
} from "./vm-states.ts";

type States = readonly [good: Hyp, bad: Hyp, ...more: Hyp[]];

const PAGE = pfn(0x60000);
const insecure = like(DEPRIVILEGED, (h) => {
  h.boot.loadFailure = { name: "mod2", status: 256 };
});
const keepsImage: Change = (h) => {
  h.firmware.content = "image";
};
const vm =
  (change: Parameters<typeof vmLike>[0]): Change =>
  (h) => {
    const made = { firmwareIpa: 0x8000_0000n, started: true, startedFromFirmware: true };
    h.vms.set(0, vmLike({ ...made, ...change }));
  };
const failed = like(MAPPED, (h) => {
  h.el2.mappings.clear();
  h.pages.clear();
  recordOf(h, "mod1").el2 = "failed";
});
const handles = (address: bigint): Change => {
  return (h) => {
    h.dispatch.dynamicHcalls.push(hypVa(address));
  };
};
const shared = like(LOADED, (h) => {
  h.pages.set(PAGE, { host: "SHARED_OWNED", owner: "HOST", hyp: "SHARED_BORROWED", refcount: 1 });
});
const page = (state: Partial<typeof PLAIN_PAGE>): Hyp =>
  like(LOADED, (h) => {
    h.pages.set(PAGE, { ...PLAIN_PAGE, ...state });
  });
const maps = (prot: number, from = TEXT_PFN): Change => {
  return (h) => {
    h.el2.mappings.set(hypVa(TEXT_VA + 0x1000n), { pfn: from, prot });
  };
};
const debugged = like(LOADED, (h) => {
  h.config.build = "el2debug";
});
/** Nothing is left of the load. */
const forgets: Change = (h) => {
  recordOf(h, "mod1").token = undefined;
  h.el2.reservations = [];
};

const STATES: Readonly<Record<string, States>> = {
  "INV-1": [like(insecure, vm({ isProtected: false })), like(insecure, vm({}))],
  "INV-2": [insecure, like(insecure, keepsImage)],
  "INV-3": [DEPRIVILEGED, like(DEPRIVILEGED, keepsImage)],
  "INV-4": [
    DEPRIVILEGED,
    like(DEPRIVILEGED, (h) => {
      h.firmware.advertisedBytes = 0x100000;
    }),
  ],
  "INV-34": [
    like(DEPRIVILEGED, (h) => {
      h.psci.memProtectLocked = true;
      h.end = { kind: "off", what: "SYSTEM_OFF" };
    }),
    like(DEPRIVILEGED, (h) => {
      h.psci.memProtectLocked = true;
    }),
  ],
  "INV-5": [like(DEPRIVILEGED, vm({})), like(DEPRIVILEGED, vm({ startedFromFirmware: false }))],
  "INV-6": [
    DEPRIVILEGED,
    like(DEPRIVILEGED, (h) => {
      recordOf(h, "mod1").el2 = "mapped";
    }),
    like(DEPRIVILEGED, (h) => {
      recordOf(h, "mod1").el2 = "reserved";
    }),
  ],
  "INV-7": [
    LOADED,
    like(LOADED, (h) => {
      h.boot.finalised = [false, true];
    }),
  ],
  "INV-8": [
    POWER_ON,
    like(POWER_ON, handles(HANDLER)),
    like(POWER_ON, maps(5)),
    like(POWER_ON, (h) => {
      h.boot.key = true;
    }),
    like(POWER_ON, (h) => {
      h.el2.reservations.push({ base: BASE, pages: 3 });
    }),
    like(POWER_ON, (h) => {
      h.dispatch.callbacks.psci_notifier = HANDLER;
    }),
  ],
  "INV-9": [
    LOADED,
    like(LOADED, (h) => {
      h.pages.delete(TEXT_PFN);
    }),
    like(LOADED, (h) => {
      h.pages.set(TEXT_PFN, { ...HYP_PAGE, host: "SHARED_OWNED" });
    }),
  ],
  "INV-10": [LOADED, like(LOADED, maps(7)), like(LOADED, maps(1))],
  "INV-11": [LOADED, like(LOADED, maps(6)), like(LOADED, maps(5, DATA_PFN))],
  "INV-12": [
    LOADED,
    like(LOADED, (h) => {
      h.el2.reservations.push({ base: hypVa(BASE + 0x2000n), pages: 1 });
    }),
    like(LOADED, (h) => {
      h.el2.nextFree = hypVa(BASE + 0x1000n);
    }),
    like(LOADED, (h) => {
      h.el2.reservations = [{ base: hypVa(BASE + 0x10n), pages: 1 }];
    }),
  ],
  "INV-13": [
    debugged,
    like(debugged, (h) => {
      h.el2.mappings.set(hypVa(0x20_0010_0000n), { pfn: TEXT_PFN, prot: 5 });
    }),
  ],
  "INV-14": [failed, like(failed, maps(5))],
  "INV-15": [
    like(LOADED, handles(HANDLER)),
    like(LOADED, (h) => {
      h.dispatch.dynamicHcalls = new Array(129).fill(HANDLER);
    }),
  ],
  "INV-16": [like(LOADED, handles(HANDLER)), like(LOADED, handles(0n))],
  "INV-17": [
    like(failed, handles(BASE + 0x3000n)),
    like(failed, handles(HANDLER)),
    like(failed, (h) => {
      h.dispatch.callbacks.host_smc_handler = HANDLER;
    }),
  ],
  "INV-18": [
    like(LOADED, handles(HANDLER)),
    like(LOADED, handles(TEXT_VA + 0x2000n)),
    like(LOADED, handles(0xffff_ff80_1234_5000n)),
    like(failed, handles(HANDLER)),
  ],
  "INV-19": [
    LOADED,
    page({ hyp: "OWNED" }),
    page({ host: "NOPAGE" }),
    page({ host: "NOPAGE", owner: "GUEST", hyp: "OWNED" }),
  ],
  "INV-20": [
    LOADED,
    page({ hyp: "OWNED" }),
    page({ host: "NOPAGE", owner: "HYP" }),
    page({ host: "OWNED", owner: "HYP", hyp: "OWNED" }),
  ],
  "INV-21": [shared, page({ hyp: "SHARED_BORROWED" })],
  "INV-22": [shared, page({ refcount: 1 }), page({ refcount: -1 })],
  "INV-23": [
    like(failed, (h) => {
      recordOf(h, "mod1").state = "freed";
    }),
    like(LOADED, (h) => {
      recordOf(h, "mod1").state = "freed";
    }),
  ],
  "INV-24": [
    DEPRIVILEGED,
    like(DEPRIVILEGED, (h) => {
      recordOf(h, "mod1").refcount = 0;
    }),
  ],
  "INV-25": [
    LOADED,
    like(LOADED, (h) => {
      recordOf(h, "mod1").token = hypVa(BASE + 0x1000n);
    }),
    like(LOADED, (h) => {
      h.el2.reservations = [];
    }),
  ],
  "INV-26": [
    withVcpu(),
    like(withVcpu(), frees(LAST_RAN)),
    withVcpu({ lastRan: ROOT[0]! }),
    withVcpu({ stage2: { ...EMPTY_VM.stage2, pool: [LAST_RAN] } }),
  ],
  "INV-27": [
    dying("OWNED"),
    like(dying("OWNED"), frees(GUEST)),
    like(dying("SHARED_BORROWED"), owns(GUEST)),
  ],
  "INV-28": [
    dying("OWNED"),
    like(dying("OWNED"), (h) => {
      const pages = h.vmTable.get(HANDLE)?.stage2.pages;
      pages?.set(0, { pfn: GUEST, state: "OWNED" });
    }),
  ],
  "INV-29": [
    dying("SHARED_BORROWED"),
    like(dying("SHARED_BORROWED"), (h) => h.vmTable.clear()),
    like(dying("OWNED"), (h) => h.vmTable.clear()),
  ],
  "INV-30": [
    dying("OWNED"),
    like(dying("OWNED"), (h) => {
      h.memProtect = 0;
    }),
  ],
  "INV-31": [
    withVcpu(),
    like(withVcpu(), pins(-1, KVM_PAGE)),
    like(withVcpu(), frees(VCPU_PAGES[2]!)),
  ],
  "INV-32": [
    like(withVcpu(), loads(0, 0)),
    like(withVcpu(), loads(0, 1)),
    like(withVcpu({ isDying: true }), loads(0, 0)),
    like(like(withVcpu(), loads(0, 0)), loads(1, 0)),
  ],
  "INV-33": [
    withVcpu(),
    like(withVcpu(), setsVm(EMPTY_VM, 0xfff)),
    withVcpu({ createdVcpus: 0 }),
    withVcpu({ isProtected: false, pvmfwLoadAddr: 0n }),
  ],
  "INV-38": [like(failed, forgets), failed],
  "INV-35": [like(failed, forgets), failed],
  "INV-36": [
    like(LOADED, (h) => {
      for (const controls of h.controls) controls.hcrSet = 8n;
    }),
    like(LOADED, (h) => {
      Object.assign(h.controls[0] ?? {}, { hcrSet: 8n });
    }),
    like(LOADED, (h) => {
      Object.assign(h.controls[1] ?? {}, { hcrClear: 8n });
    }),
    like(LOADED, (h) => {
      Object.assign(h.controls[1] ?? {}, { hfgwtr: 8n });
    }),
  ],
  "INV-37": [LOADED, like(LOADED, maps(5, PAGE))],
};

test("every invariant has its states", () => {
  expect(Object.keys(STATES).sort()).toEqual(INVARIANTS.map(({ id }) => id).sort());
});

describe.each(INVARIANTS.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
  const [good, ...bad] = STATES[id] ?? [];
  test(`accepts: ${rule.statement}`, () => {
    expect(good !== undefined && rule.applies(good)).toBe(true);
    expect(good === undefined ? ["no state"] : rule.violations(good)).toEqual([]);
  });
  test.each(bad.map((wrong, at) => [at + 1, wrong] as const))("rejects %i", (_, wrong) => {
    expect(rule.applies(wrong)).toBe(true);
    const sentences = rule.violations(wrong);
    expect(sentences.length).toBeGreaterThan(0);
    for (const sentence of sentences) expect(sentence).not.toMatch(/undefined|\[object/);
  });
});

test("the states that the steps are made from keep every invariant", () => {
  for (const hyp of [POWER_ON, TRUSTED, MAPPED, LOADED, DEPRIVILEGED]) {
    const broken = INVARIANTS.filter(
      (rule) => rule.applies(hyp) && rule.violations(hyp).length > 0,
    );
    expect(broken.map(({ id }) => id)).toEqual([]);
  }
});
