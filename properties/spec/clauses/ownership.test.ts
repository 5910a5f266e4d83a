// The clauses of ownership, pins and protections, each on steps made by hand.

import { describe } from "vitest";
import { OWNERSHIP } from "../../../spec/clauses/ownership.ts";
import { PROTECTION } from "../../../spec/clauses/protection.ts";
import type { Op } from "../../../spec/types/action.ts";
import { hypVa, pfn } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import { HYP_PAGE, type PageState } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  type Case,
  type Change,
  DEPRIVILEGED,
  hvc,
  leaving,
  like,
  panicked,
  returned,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";

const PAGE = pfn(0x50010);
const FRAME = BigInt(PAGE);
const LAST = 0xf_ffff_ffff_ffffn;
const BEYOND = 0x1000_0000n;
/** EL2's address of the page. Source: measured, machines. */
const VA = (FRAME << 12n) + 0x40_0000_0000n - 0x4000_0000n;
const SHARE = 0xc600_0012n;
const UNSHARE = 0xc600_0013n;

const op = (name: string, ...args: bigint[]): Op => ({ kind: "op", cpu: 0, op: name, args });
const sets =
  (state: PageState): Change =>
  (hyp) => {
    hyp.pages.set(PAGE, { ...state });
  };
const forgets: Change = (hyp) => {
  hyp.pages.delete(PAGE);
};
const having = (state: PageState): Hyp => like(DEPRIVILEGED, sets(state));

const BORROWED = { owner: "HOST", hyp: "SHARED_BORROWED" } as const;
const SHARED: PageState = { host: "SHARED_OWNED", ...BORROWED, refcount: 0 };
const PINNED: PageState = { ...SHARED, refcount: 1 };
const LIMITED: PageState = {
  host: "MODULE_OWNED",
  owner: "HOST",
  hyp: "NOPAGE",
  refcount: 0,
  prot: 3,
};
const DEBUG = like(DEPRIVILEGED, (hyp) => {
  hyp.config.build = "el2debug";
});

/** A refusal that must not be a success, and must change nothing. */
const refused = (pre: Hyp, action: Op | ReturnType<typeof hvc>, errno: number): Case => {
  const isOp = action.kind === "op";
  const good = step(pre, action, isOp ? returned(errno) : answered(errno));
  return [good, answering(good, isOp ? returned(0) : answered(0)), leaving(good, takesPage)];
};

/** A success that must not be a refusal, must change what it says, and nothing else. */
const done = (pre: Hyp, action: Op | ReturnType<typeof hvc>, change: Change): Case => {
  const isOp = action.kind === "op";
  const good = step(pre, action, isOp ? returned(0) : answered(0), change);
  return [
    good,
    answering(good, isOp ? returned(-1) : answered(-1)),
    { ...good, post: pre },
    leaving(good, takesPage),
  ];
};

const ends = (
  pre: Hyp,
  action: Op,
  reason: "DONATE_MAP_FAILED" | "EL2_ABORT" | "EL2_BUG",
): Case => [step(pre, action, panicked(reason)), step(pre, action, returned(0))];

const FAR = 0x900_0000n;

describe("shares and donations", () => {
  tryClauses(OWNERSHIP, {
    "OWN-1": refused(DEPRIVILEGED, hvc(SHARE, LAST), -22),
    "OWN-2": refused(DEPRIVILEGED, hvc(SHARE, BEYOND), -34),
    "OWN-3": refused(having(SHARED), hvc(SHARE, FRAME + (1n << 52n)), -1),
    "OWN-4": done(DEPRIVILEGED, hvc(SHARE, FRAME), sets(SHARED)),
    "OWN-5": refused(DEPRIVILEGED, hvc(UNSHARE, FRAME), -1),
    "OWN-6": refused(having(PINNED), hvc(UNSHARE, FRAME), -16),
    "OWN-7": done(having(SHARED), op("host_unshare_hyp", FRAME), forgets),
    "OWN-8": refused(having(LIMITED), op("host_donate_hyp", FRAME, 1n), -1),
    "OWN-9": refused(DEBUG, op("host_donate_hyp", FAR, 1n), -34),
    "OWN-10": ends(DEPRIVILEGED, op("host_donate_hyp", FAR, 1n), "DONATE_MAP_FAILED"),
    "OWN-11": refused(DEPRIVILEGED, op("hyp_donate_host", LAST - 0x3fc_0000n, 1n), -22),
    "OWN-12": refused(DEPRIVILEGED, op("hyp_donate_host", FAR, 1n), -34),
    "OWN-13": refused(DEPRIVILEGED, op("hyp_donate_host", FRAME, 1n), -1),
    "OWN-17": done(DEPRIVILEGED, op("host_donate_hyp", FRAME, 1n), sets(HYP_PAGE)),
    "OWN-18": done(having(HYP_PAGE), op("hyp_donate_host", FRAME, 1n), forgets),
    "OWN-79": [
      ...refused(DEBUG, op("host_donate_hyp", FAR, 1n), -34),
      step(DEPRIVILEGED, op("host_donate_hyp", FAR, 1n), panicked("DONATE_MAP_FAILED")),
      step(DEPRIVILEGED, op("host_donate_hyp", LAST, 1n), returned(0)),
    ],
  });
});

const pin = op("pin_shared_mem", VA, VA + 1n);
const unpin = op("unpin_shared_mem", VA, VA + 1n);
const protect = (frame: bigint, prot: bigint, nr: bigint): Op =>
  op("host_stage2_mod_prot_range", frame, prot, nr);

const MAP = op("create_private_mapping", (FRAME << 12n) + 4n, 8n, 6n, 0n);
const FRESH = hypVa(DEPRIVILEGED.el2.nextFree);
const reserves: Change = (hyp) => {
  hyp.el2.reservations.push({ base: FRESH, pages: 1 });
  hyp.el2.nextFree = hypVa(FRESH + 0x1000n);
};
const maps =
  (prot: number): Change =>
  (hyp) => {
    reserves(hyp);
    hyp.el2.mappings.set(FRESH, { pfn: PAGE, prot });
  };

describe("pins and protections", () => {
  tryClauses(PROTECTION, {
    "OWN-14": refused(DEPRIVILEGED, pin, -1),
    "OWN-15": done(having(SHARED), pin, sets(PINNED)),
    "OWN-16": ends(having(SHARED), unpin, "EL2_BUG"),
    "OWN-78": ends(
      DEPRIVILEGED,
      op("unpin_shared_mem", VA - (FRAME << 12n), VA - (FRAME << 12n) + 8n),
      "EL2_ABORT",
    ),
    "OWN-19": refused(DEPRIVILEGED, protect(FRAME, 0x80n, 1n), -22),
    "OWN-20": refused(DEPRIVILEGED, protect(0x3_ffffn, 3n, 2n), -1),
    "OWN-21": refused(having(LIMITED), protect(FRAME, 3n, 2n), -1),
    "OWN-22": done(DEPRIVILEGED, protect(FRAME, 3n, 1n), sets(LIMITED)),
    "OWN-23": ends(DEPRIVILEGED, protect(BEYOND, 3n, 1n), "EL2_BUG"),
    "OWN-24": refused(DEPRIVILEGED, op("host_stage2_get_leaf", 1n << 40n), -34),
    "OWN-26": [
      step(DEPRIVILEGED, MAP, returned(0), maps(6)),
      step(DEPRIVILEGED, MAP, returned(0)),
      step(DEPRIVILEGED, MAP, returned(0), maps(4)),
      leaving(step(DEPRIVILEGED, MAP, returned(0), maps(6)), takesPage),
    ],
    "OWN-27": [
      step(DEPRIVILEGED, MAP, returned(-22), reserves),
      step(DEPRIVILEGED, MAP, returned(-22)),
      step(DEPRIVILEGED, MAP, returned(-22), maps(6)),
    ],
    "OWN-25": [
      step(DEPRIVILEGED, op("host_stage2_get_leaf", FRAME << 12n), returned(0)),
      step(DEPRIVILEGED, op("host_stage2_get_leaf", FRAME << 12n), returned(0), takesPage),
    ],
  });
});
