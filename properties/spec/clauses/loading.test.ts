// The clauses of loading, at EL1 and at EL2, each on steps made by hand.

import { describe } from "vitest";
import { LOADING } from "../../../spec/clauses/loading.ts";
import { MAPPING } from "../../../spec/clauses/mapping.ts";
import { hypVa, kernVa, pfn } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  BASE,
  type Case,
  COMING,
  DATA_PFN,
  DATA_VA,
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
  POWER_ON,
  panicked,
  RESERVED,
  recordOf,
  returned,
  setsKey,
  step,
  TEXT_PFN,
  TEXT_VA,
  TRUSTED,
  takesPage,
  tryClauses,
  UNKNOWN,
} from "../tried.ts";

const request = (name: string) => ({ kind: "pkvm_request_early_module", name }) as const;
const exited = (status: number) => ({ kind: "modprobe_exit", name: "mod1", status }) as const;
const refused = (errno: number, early: boolean) => ({ errno, why: "as the test says", early });
const file = (name: string, wrong?: ReturnType<typeof refused>) =>
  ({
    kind: "load_module",
    name,
    sections: MOD1.sections,
    hasInit: true,
    hasExit: false,
    refused: wrong,
  }) as const;
const load = (name = "mod1") => ({ kind: "__pkvm_load_el2_module", name }) as const;
const RESERVES = { kind: "el2_module_reserved", name: "mod1", base: BASE } as const;
const ends = (value: number) => ({ kind: "el2_module_loaded", name: "mod1", value }) as const;

const debug = (hyp: Hyp): Hyp =>
  like(hyp, (h) => {
    h.config.build = "el2debug";
  });
/** A refusal: the errno and nothing else; not the errno; the errno and something else. */
const refusing = (pre: Hyp, action: Parameters<typeof step>[1], errno: number): Case => [
  step(pre, action, returned(errno)),
  step(pre, action, returned(0)),
  step(pre, action, returned(errno), takesPage),
];

const asked = step(TRUSTED, request("mod1"), returned(0), (h) => {
  h.boot.requested = "mod1";
  h.boot.requestedNames = ["mod1"];
});
const exits = step(COMING, exited(0), returned(0), (h) => {
  h.boot.requested = undefined;
});
const taken = step(TRUSTED, file("mod1"), returned(0), (h) => {
  h.modules.set("mod1", structuredClone(MOD1) as Parameters<typeof h.modules.set>[1]);
});
const misaligned = like(COMING, (h) => {
  const text = recordOf(h, "mod1").sections[1];
  if (text !== undefined) text.kernVa = kernVa(0xffff_ffc0_0000_2010n);
});
const heldMore = step(COMING, load(), returned(0), (h) => {
  recordOf(h, "mod1").refcount = 2;
});
const reservedOnly = like(RESERVED, (h) => {
  Object.assign(recordOf(h, "mod1"), { el2: "absent", token: undefined });
});
const tokenWritten = step(reservedOnly, RESERVES, returned(0), (h) => {
  Object.assign(recordOf(h, "mod1"), { el2: "reserved", token: BASE });
});
const succeeds = step(MAPPED, ends(0), returned(0), (h) => {
  recordOf(h, "mod1").el2 = "initialised";
});
const fails = step(RESERVED, ends(-22), returned(-22), (h) => {
  Object.assign(recordOf(h, "mod1"), { el2: "failed", refcount: 1 });
});
const noAddress = like(COMING, (h) => {
  recordOf(h, "mod1").refcount = 2;
});
const withoutAddress = (errno: number) =>
  step(noAddress, ends(errno), returned(errno), (h) => {
    Object.assign(recordOf(h, "mod1"), { el2: "failed", refcount: 1 });
  });

describe("loading at EL1", () => {
  const cases: Record<string, Case> = {
    "LOAD-1": refusing(POWER_ON, request("mod1"), -13),
    "LOAD-2": refusing(DEPRIVILEGED, request("mod1"), -13),
    "LOAD-3": [
      asked,
      leaving(asked, (h) => {
        h.boot.requested = "mod2";
      }),
      leaving(asked, (h) => {
        h.boot.requestedNames = [];
      }),
      step(COMING, request("mod2"), returned(0), (h) => {
        h.boot.requested = "mod2";
        h.boot.requestedNames.push("mod2");
      }),
      leaving(asked, setsKey),
    ],
    "LOAD-4": [
      exits,
      answering(exits, returned(256)),
      step(COMING, exited(0), returned(0)),
      leaving(exits, (h) => {
        h.modules.clear();
      }),
    ],
    "LOAD-5": refusing(COMING, file("mod1", refused(-8, true)), -8),
    "LOAD-6": refusing(COMING, file("mod1", refused(-2, false)), -17),
    "LOAD-7": refusing(TRUSTED, file("mod1", refused(-2, false)), -2),
    "LOAD-8": [
      taken,
      step(TRUSTED, file("mod1"), returned(0)),
      answering(taken, returned(-8)),
      leaving(taken, (h) => {
        recordOf(h, "mod1").refcount = 0;
      }),
      leaving(taken, (h) => {
        recordOf(h, "mod1").sections.pop();
      }),
    ],
    "LOAD-9": [
      taken,
      leaving(taken, takesPage),
      leaving(taken, (h) => {
        h.el2.reservations.push({ base: BASE, pages: 3 });
      }),
    ],
    "LOAD-10": refusing(POWER_ON, load(), -95),
    "LOAD-11": refusing(DEPRIVILEGED, load(), -95),
    "LOAD-12": refusing(misaligned, load(), -22),
    "LOAD-13": refusing(TRUSTED, load("nosuch"), -19),
    "LOAD-14": [
      heldMore,
      step(COMING, load(), returned(0)),
      answering(heldMore, returned(-19)),
      leaving(heldMore, (h) => {
        recordOf(h, "mod1").el2 = "reserved";
      }),
      leaving(heldMore, takesPage),
    ],
    "LOAD-18": [
      tokenWritten,
      step(reservedOnly, RESERVES, returned(0)),
      step(COMING, RESERVES, returned(0), (h) => {
        Object.assign(recordOf(h, "mod1"), { el2: "reserved", token: BASE });
      }),
      leaving(tokenWritten, (h) => {
        h.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 5 });
      }),
    ],
    "LOAD-29": [
      succeeds,
      step(MAPPED, ends(0), returned(0)),
      leaving(succeeds, (h) => {
        recordOf(h, "mod1").refcount = 1;
      }),
      leaving(succeeds, takesPage),
    ],
    "LOAD-30": [
      fails,
      answering(fails, returned(0)),
      leaving(fails, (h) => {
        recordOf(h, "mod1").refcount = 2;
      }),
      leaving(fails, (h) => {
        recordOf(h, "mod1").el2 = "initialised";
      }),
      step(MAPPED, ends(-22), returned(-22), (h) => {
        Object.assign(recordOf(h, "mod1"), { el2: "failed", refcount: 1 });
      }),
      leaving(fails, takesPage),
    ],
    "LOAD-33": [
      succeeds,
      leaving(succeeds, (h) => {
        h.el2.mappings.delete(DATA_VA);
      }),
      leaving(succeeds, (h) => {
        h.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 7 });
      }),
      leaving(succeeds, (h) => {
        h.el2.mappings.set(TEXT_VA, { pfn: DATA_PFN, prot: 5 });
      }),
    ],
    "LOAD-36": [withoutAddress(-12), withoutAddress(-22), withoutAddress(-95)],
  };
  tryClauses(LOADING, cases);
});

const PAGES = 0xc600_000cn;
const MAP = 0xc600_000dn;
const UNMAP = 0xc600_000en;
const INIT = 0xc600_000fn;
const reserved = step(COMING, hvc(PAGES, 3), answered(BASE), (h) => {
  h.el2.reservations.push({ base: BASE, pages: 3 });
  h.el2.nextFree = hypVa(BASE + 0x3000n);
});
const mapText = hvc(MAP, TEXT_PFN, TEXT_VA, 5);
const mapped = step(RESERVED, mapText, answered(0), (h) => {
  h.pages.set(TEXT_PFN, { ...HYP_PAGE });
  h.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 5 });
});
const otherPage = pfn(0x50005);
const unmapText = hvc(UNMAP, TEXT_PFN, TEXT_VA);
const unmapped = step(MAPPED, unmapText, DONE, (h) => {
  h.pages.delete(TEXT_PFN);
  h.el2.mappings.delete(TEXT_VA);
});
const refusingHvc = (pre: Hyp, action: ReturnType<typeof hvc>, errno: number): Case => [
  step(pre, action, answered(errno)),
  step(pre, action, answered(0)),
  step(pre, action, answered(errno), takesPage),
];
const stopping = (pre: Hyp, action: ReturnType<typeof hvc>): Case => [
  step(pre, action, panicked("BAD_HCALL_ADDRESS")),
  step(pre, action, answered(0)),
  step(pre, action, panicked("EL2_BUG")),
];
const OUTSIDE = 0xffff_ffc0_0000_2000n;
const refusedLate = step(DEPRIVILEGED, hvc(PAGES, 1), UNKNOWN);
const inits = step(MAPPED, hvc(INIT, HANDLER), entered(HANDLER));
const initReturned = { kind: "el2_init_returned", cpu: 0, value: 0xffff_ffean } as const;

describe("loading at EL2", () => {
  const cases: Record<string, Case> = {
    "LOAD-15": [
      reserved,
      answering(reserved, answered(BASE + 0x1000n)),
      step(COMING, hvc(PAGES, 3), answered(0x20_0001_0000n), (h) => {
        h.el2.reservations.push({ base: hypVa(0x20_0001_0000n), pages: 3 });
        h.el2.nextFree = hypVa(0x20_0001_3000n);
      }),
      leaving(reserved, (h) => {
        h.el2.nextFree = hypVa(BASE + 0x2000n);
      }),
      leaving(reserved, takesPage),
    ],
    "LOAD-16": [
      step(COMING, hvc(PAGES, 0), answered(0)),
      step(COMING, hvc(PAGES, 0), answered(BASE)),
      step(COMING, hvc(PAGES, 0), answered(0), (h) => {
        h.el2.reservations.push({ base: BASE, pages: 0 });
      }),
    ],
    "LOAD-17": [
      mapped,
      leaving(mapped, (h) => {
        h.el2.reservations.pop();
      }),
      leaving(mapped, (h) => {
        h.el2.nextFree = BASE;
      }),
    ],
    "LOAD-19": stopping(debug(RESERVED), hvc(MAP, TEXT_PFN, 0x20_0010_0000n, 5)),
    "LOAD-20": refusingHvc(MAPPED, hvc(MAP, TEXT_PFN, TEXT_VA + 0x1000n, 5), -1),
    "LOAD-21": refusingHvc(RESERVED, hvc(MAP, TEXT_PFN, TEXT_VA, 7), -22),
    "LOAD-37": refusingHvc(RESERVED, hvc(MAP, TEXT_PFN, 1n << 39n, 5), -34),
    "LOAD-35": [
      step(MAPPED, hvc(MAP, otherPage, TEXT_VA, 5), panicked("EL2_BUG")),
      step(MAPPED, hvc(MAP, otherPage, TEXT_VA, 5), answered(-22)),
      step(MAPPED, hvc(MAP, otherPage, TEXT_VA, 5), answered(0)),
    ],
    "LOAD-22": [
      mapped,
      answering(mapped, answered(-1)),
      step(RESERVED, mapText, answered(0)),
      leaving(mapped, (h) => {
        h.pages.clear();
      }),
      leaving(mapped, (h) => {
        h.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 7 });
      }),
      leaving(mapped, takesPage),
      leaving(mapped, setsKey),
    ],
    "LOAD-24": [
      unmapped,
      step(MAPPED, unmapText, DONE),
      answering(unmapped, answered(0)),
      answering(unmapped, panicked("UNMAP_NOT_OWNED")),
      leaving(unmapped, (h) => {
        h.pages.set(TEXT_PFN, { ...HYP_PAGE });
      }),
      leaving(unmapped, (h) => {
        h.el2.mappings.clear();
      }),
      leaving(unmapped, setsKey),
    ],
    "LOAD-25": [
      step(MAPPED, hvc(UNMAP, TEXT_PFN, 0xffff_ffe0_0000_e000n), panicked("UNMAP_NOT_OWNED")),
      step(MAPPED, hvc(UNMAP, TEXT_PFN, 0xffff_ffe0_0000_e000n), answered(0)),
      step(MAPPED, hvc(UNMAP, otherPage, TEXT_VA), answered(-1)),
    ],
    "LOAD-26": [
      inits,
      answering(inits, entered(HANDLER + 4n)),
      answering(inits, answered(0)),
      leaving(inits, takesPage),
    ],
    "LOAD-27": [
      step(debug(MAPPED), hvc(INIT, OUTSIDE), entered(OUTSIDE)),
      step(debug(MAPPED), hvc(INIT, OUTSIDE), panicked("BAD_HCALL_ADDRESS")),
    ],
    "LOAD-28": [
      step(MAPPED, initReturned, answered(-22)),
      step(MAPPED, initReturned, answered(0)),
      step(MAPPED, initReturned, answered(0xffff_ffean)),
      step(MAPPED, initReturned, answered(-22), takesPage),
    ],
    "LOAD-31": [
      refusedLate,
      answering(refusedLate, answered(0)),
      leaving(refusedLate, (h) => {
        h.el2.reservations.push({ base: hypVa(0x20_0000_f000n), pages: 1 });
      }),
    ],
    "LOAD-32": [
      step(MAPPED, hvc(INIT, HANDLER), entered(HANDLER)),
      step(MAPPED, hvc(INIT, HANDLER), entered(HANDLER), (h) => {
        h.el2.mappings.delete(TEXT_VA);
      }),
      step(LOADED, { kind: "module_init_returned", name: "mod1", value: -1 }, returned(-1), (h) => {
        h.el2.mappings.clear();
      }),
    ],
  };
  tryClauses(MAPPING, cases);
});
