// The clauses that the page promises, each on steps made by hand.

import { describe, expect, test } from "vitest";
import { OVERRIDES, overridden } from "../../../spec/branches/documented.ts";
import { DOCUMENTED } from "../../../spec/clauses/documented.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  type Case,
  COMING,
  DEPRIVILEGED,
  DONE,
  entered,
  HANDLER,
  hvc,
  LOADED,
  leaving,
  like,
  MAPPED,
  MOD1,
  panicked,
  recordOf,
  returned,
  step,
  TEXT_PFN,
  TEXT_VA,
  TRUSTED,
  takesPage,
  tryClauses,
  UNKNOWN,
  vmLike,
} from "../tried.ts";

/** The token plus the EL1 address of the text, as 6.1 counts it for a module without .hyp.bss. */
const UNSHIFTED = 0x20_0000_c000n + 0xffff_ffc0_0000_2000n;

const initReturned = { kind: "el2_init_returned", cpu: 0, value: 0xffff_ffean } as const;
const op = (name: string) => ({ kind: "op", cpu: 0, op: name, args: [0n] }) as const;
const load = { kind: "__pkvm_load_el2_module", name: "mod1" } as const;
const loadFile = (errno?: number) =>
  ({
    kind: "load_module",
    name: "mod1",
    sections: MOD1.sections,
    hasInit: true,
    hasExit: false,
    refused: errno === undefined ? undefined : { errno, why: "no signature", early: true },
  }) as const;

const succeeds = step(MAPPED, { kind: "el2_module_loaded", name: "mod1", value: 0 }, returned(0));
const letIn = step(COMING, load, returned(0), (h) => {
  recordOf(h, "mod1").refcount = 2;
});
const live = like(COMING, (h) => {
  recordOf(h, "mod1").state = "live";
});
const taken = step(TRUSTED, loadFile(), returned(0), (h) => {
  h.modules.set("mod1", structuredClone(MOD1) as Parameters<typeof h.modules.set>[1]);
});
const tooLate = step(DEPRIVILEGED, load, returned(-95));
const registersLate = step(DEPRIVILEGED, hvc(0xc600_0010n, HANDLER), UNKNOWN);
const allAsked = like(TRUSTED, (h) => {
  h.boot.requestedNames = ["mod1", "mod2"];
});
const WALKED = { kind: "pkvm_load_early_modules" } as const;
const unsigned = step(TRUSTED, loadFile(-129), returned(-129));
const insecure = like(DEPRIVILEGED, (h) => {
  h.boot.loadFailure = { name: "mod2", status: 256 };
});
const insecureWithVm = like(insecure, (h) => {
  h.vms.set(0, vmLike());
});
const create = { kind: "KVM_CREATE_VM", vm: 0, type: 0x8000_0000 } as const;
const run = { kind: "KVM_RUN", vm: 0, vcpu: 0 } as const;
const calls = step(DEPRIVILEGED, hvc(0xc600_0080n), entered(HANDLER));
const handled = step(
  DEPRIVILEGED,
  { kind: "handler_returned", cpu: 0, x: [0n, 3n, 0n, 0n] },
  answered(3),
);
const undone = step(MAPPED, hvc(0xc600_000en, TEXT_PFN, TEXT_VA), DONE, (h) => {
  h.pages.delete(TEXT_PFN);
  h.el2.mappings.delete(TEXT_VA);
});
const initFails = step(
  LOADED,
  { kind: "module_init_returned", name: "mod1", value: -12 },
  returned(-12),
);
const registered = step(LOADED, hvc(0xc600_0010n, HANDLER), answered(128), (h) => {
  h.dispatch.dynamicHcalls.push(HANDLER);
});
const forgets = (h: Parameters<Parameters<typeof like>[1]>[0]) => {
  h.boot.loadFailure = undefined;
};

describe("documented", () => {
  const cases: Record<string, Case> = {
    "DOC-1": [step(MAPPED, initReturned, answered(-22)), step(MAPPED, initReturned, answered(0))],
    "DOC-2": [step(LOADED, op("puts"), returned(0)), step(LOADED, op("putc"), returned(0))],
    "DOC-3": [
      succeeds,
      leaving(succeeds, (h) => {
        h.el2.mappings.delete(TEXT_VA);
      }),
      leaving(succeeds, (h) => {
        h.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 4 });
      }),
    ],
    "DOC-4": [letIn, step(live, load, returned(0)), step(TRUSTED, load, returned(0))],
    "DOC-5": [taken, step(TRUSTED, loadFile(), returned(0)), answering(taken, returned(-8))],
    "DOC-6": [
      tooLate,
      answering(tooLate, returned(0)),
      answering(registersLate, answered(0)),
      leaving(registersLate, (h) => {
        h.dispatch.dynamicHcalls.push(HANDLER);
      }),
    ],
    "DOC-7": [
      step(allAsked, WALKED, returned(0)),
      step(COMING, WALKED, returned(0)),
      step(TRUSTED, WALKED, returned(0)),
    ],
    "DOC-8": [
      unsigned,
      answering(unsigned, returned(0)),
      leaving(unsigned, (h) => {
        h.modules.set("mod1", structuredClone(MOD1) as Parameters<typeof h.modules.set>[1]);
      }),
    ],
    "DOC-9": [
      step(insecure, create, returned(-1)),
      step(insecure, create, returned(-1), forgets),
      step(insecure, WALKED, returned(256), (h) => {
        h.boot.loadFailure = { name: "mod1", status: 256 };
      }),
      step(COMING, { kind: "modprobe_exit", name: "mod1", status: 256 }, returned(256)),
    ],
    "DOC-10": [
      step(insecure, create, returned(-1)),
      step(insecure, create, returned(0), (h) => {
        h.vms.set(0, vmLike());
      }),
      step(insecure, create, returned(-1), (h) => {
        h.vms.set(0, vmLike());
      }),
      step(insecureWithVm, run, returned(0), (h) => {
        h.vms.set(0, vmLike({ started: true }));
      }),
    ],
    "DOC-11": [calls, answering(calls, UNKNOWN), answering(calls, entered(HANDLER + 8n))],
    "DOC-12": [handled, answering(handled, answered(0)), answering(handled, UNKNOWN)],
    "DOC-13": [
      undone,
      answering(undone, panicked("UNMAP_NOT_OWNED")),
      step(MAPPED, hvc(0xc600_000en, TEXT_PFN, UNSHIFTED), panicked("UNMAP_NOT_OWNED")),
    ],
    "DOC-14": [
      initFails,
      leaving(initFails, (h) => {
        recordOf(h, "mod1").state = "freed";
      }),
    ],
    "DOC-15": [
      registered,
      answering(registered, answered(129)),
      step(LOADED, hvc(0xc600_0010n, HANDLER), answered(128)),
    ],
  };
  tryClauses(DOCUMENTED, cases);
});

test("DOC-13 says nothing of a host that unmaps where it pleases", () => {
  const misuse = step(MAPPED, hvc(0xc600_000en, TEXT_PFN, 0), panicked("UNMAP_NOT_OWNED"));
  expect(DOCUMENTED.find(({ id }) => id === "DOC-13")?.applies(misuse)).toBe(false);
});

test("DOC-13 says nothing of a page that is of no module being loaded", () => {
  const stranger = like(DEPRIVILEGED, (h) => {
    h.boot.key = false;
    h.pages.set(TEXT_PFN, { ...HYP_PAGE });
  });
  const misuse = step(stranger, hvc(0xc600_000en, TEXT_PFN, 0), panicked("UNMAP_NOT_OWNED"));
  expect(DOCUMENTED.find(({ id }) => id === "DOC-13")?.applies(misuse)).toBe(false);
});

test("DOC-10 says nothing of other VMs, and nothing of a boot without a failure", () => {
  const rule = DOCUMENTED.find(({ id }) => id === "DOC-10");
  const ordinary = { ...create, type: 0 } as const;
  expect(rule?.applies(step(insecure, ordinary, returned(0)))).toBe(false);
  expect(rule?.applies(step(DEPRIVILEGED, create, returned(0)))).toBe(false);
  expect(rule?.applies(step(insecure, run, returned(-9), takesPage))).toBe(false);
});

test("the overrides are in force in the documented system and in no other", () => {
  for (const { name } of OVERRIDES) {
    expect(overridden({ documented: true }, name)).toBe(true);
    expect(overridden({ documented: false }, name)).toBe(false);
  }
});
