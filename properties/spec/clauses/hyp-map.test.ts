// The clauses of what modules map at EL2, each on steps made by hand.

import { describe } from "vitest";
import { HYP_MAP } from "../../../spec/clauses/hyp-map.ts";
import type { Op } from "../../../spec/types/action.ts";
import { hypVa, pfn } from "../../../spec/types/address.ts";
import { HYP_PAGE, PLAIN_PAGE } from "../../../spec/types/page.ts";
import {
  answering,
  type Case,
  type Change,
  LOADED,
  leaving,
  like,
  panicked,
  returned,
  step,
  TEXT_VA,
  takesPage,
  tryClauses,
} from "../tried.ts";

const op = (name: string, ...args: readonly bigint[]): Op => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});

const PAGE = pfn(0x50010);
const FRAME = BigInt(PAGE);
const PA = FRAME << 12n;
const VA = PA + 0x40_0000_0000n - 0x4000_0000n;
/** An address of the reservation that nothing maps. */
const HOLE = 0x20_0000_d000n;
const RX = 5n;
const RW = 6n;

const DEBUG = like(LOADED, (hyp) => {
  hyp.config.build = "el2debug";
});
const map = (page: bigint, va: bigint, prot: bigint, isProtected = 0n): Op =>
  op("map_module_page", page, va, prot, isProtected);
const early = (pa: bigint, size: bigint, prot: bigint): Op =>
  op("linear_map_early", pa, size, prot);
const unmap = (va: bigint, size: bigint): Op => op("linear_unmap_early", va, size);

const maps: Change = (hyp) => {
  hyp.el2.mappings.set(hypVa(HOLE), { pfn: PAGE, prot: 5 });
};
const donates: Change = (hyp) => {
  maps(hyp);
  hyp.pages.set(PAGE, { ...HYP_PAGE });
};
const mapsEarly: Change = (hyp) => {
  hyp.pages.set(PAGE, { ...PLAIN_PAGE, hyp: "OWNED" });
  hyp.el2.earlyBytes = 0x1000;
};
const readOnly: Change = (hyp) => {
  hyp.pages.set(PAGE, { ...PLAIN_PAGE, hyp: "RESTRICTED_PROT", hypProt: 4 });
  hyp.el2.earlyBytes = 0x1000;
};
const forgets: Change = (hyp) => {
  hyp.pages.delete(PAGE);
  hyp.el2.earlyBytes = 0;
};
const EARLY = like(LOADED, mapsEarly);
const READ_ONLY = like(LOADED, readOnly);

const outside = step(DEBUG, map(FRAME, 0x1000n, RX), panicked("BAD_HCALL_ADDRESS"));
const taken = step(LOADED, map(0x50000n, HOLE, RX), returned(-1));
const writable = step(LOADED, map(FRAME, HOLE, 7n), returned(-22));
const beyond = step(LOADED, map(FRAME, 1n << 39n, RX), returned(-34));
const over = step(LOADED, map(FRAME, BigInt(TEXT_VA), RX), panicked("EL2_BUG"));
const donated = step(LOADED, map(FRAME, HOLE, RX), returned(0), donates);
const linearVa = returned(0);
const answersVa = { kind: "returned", value: VA } as const;
const uneven = step(LOADED, early(PA + 1n, 0x1000n, RW), linearVa);
const refused = step(LOADED, early(PA, 0x1000n, 7n), returned(0));
const otherwise = step(EARLY, early(PA, 0x1000n, 4n), panicked("EL2_BUG"));
const mapped = step(LOADED, early(PA, 0x1000n, RW), answersVa, mapsEarly);
const absent = step(LOADED, unmap(VA, 0x1000n), panicked("EL2_BUG"));
const contradicts = step(LOADED, op("host_stage2_mod_prot", FRAME, 0x21n), panicked("EL2_BUG"));
const looks = step(like(DEBUG, mapsEarly), op("host_share_hyp", FRAME), returned(-1));
const trips = step(READ_ONLY, op("host_donate_hyp", FRAME, 1n), panicked("EL2_BUG"));
const unmapped = step(EARLY, unmap(VA, 0x1000n), answersVa, forgets);

const CASES: Readonly<Record<string, Case>> = {
  "OWN-41": [outside, answering(outside, returned(0))],
  "OWN-42": [taken, answering(taken, returned(0)), leaving(taken, takesPage)],
  "OWN-43": [writable, answering(writable, returned(0)), leaving(writable, donates)],
  "OWN-44": [beyond, answering(beyond, returned(-22)), leaving(beyond, donates)],
  "OWN-45": [over, answering(over, returned(0))],
  "OWN-46": [
    donated,
    answering(donated, returned(-1)),
    step(LOADED, map(FRAME, HOLE, RX), returned(0), maps),
    step(LOADED, map(FRAME, HOLE, RX, 1n), returned(0), donates),
    step(LOADED, map(FRAME, HOLE, 4n), returned(0), donates),
    leaving(donated, takesPage),
  ],
  "OWN-47": [uneven, answering(uneven, answersVa), leaving(uneven, mapsEarly)],
  "OWN-48": [refused, answering(refused, answersVa), leaving(refused, mapsEarly)],
  "OWN-49": [otherwise, answering(otherwise, returned(0))],
  "OWN-50": [
    mapped,
    answering(mapped, returned(0)),
    step(LOADED, early(PA, 0x1000n, RW), answersVa),
    step(LOADED, early(PA, 0x1000n, 4n), answersVa, mapsEarly),
    leaving(mapped, (hyp) => {
      hyp.el2.earlyBytes = 0;
    }),
  ],
  "OWN-51": [absent, answering(absent, answersVa)],
  "OWN-52": [contradicts, answering(contradicts, returned(0))],
  "OWN-53": [looks, answering(looks, returned(0)), leaving(looks, takesPage)],
  "OWN-54": [trips, answering(trips, returned(0))],
  "OWN-55": [
    unmapped,
    step(EARLY, unmap(VA, 0x1000n), answersVa),
    leaving(unmapped, (hyp) => {
      hyp.el2.earlyBytes = 0x1000;
    }),
  ],
};

describe("mappings at EL2", () => {
  tryClauses(HYP_MAP, CASES);
});
