// The clauses of what branches after 6.6 do otherwise, each on steps made by hand.

import { describe } from "vitest";
import { hostSmcccId } from "../../../spec/branches/branches.ts";
import { LATER_LOADING } from "../../../spec/clauses/later-loading.ts";
import { SEVERAL_HANDLERS } from "../../../spec/clauses/several-handlers.ts";
import type { Op, SmcHandlerReturned } from "../../../spec/types/action.ts";
import { hypVa, pfn } from "../../../spec/types/address.ts";
import { SHARED_PAGE } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  DONE,
  entered,
  hvc,
  leaving,
  like,
  returned,
  step,
  TRUSTED,
  takesPage,
  tryClauses,
} from "../tried.ts";

const LATER = like(TRUSTED, (hyp) => {
  hyp.config.branch = "android17-6.18";
});

/** Positions 14, 16 and 20 of host_hcall[], counted by hand. Source: android17-6.18, hyp-main.c. */
const [MAP, INIT, LATE_CPUS] = [14, 16, 20].map(hostSmcccId) as [bigint, bigint, bigint];

/** EL1's address of the page 0x60000, and what lies there: span, mirror, init. */
const STRUCT = 0xffff_ff80_2000_0000n;
const words = new Map([
  [0x6000_0000n + 96n, 0x1000n],
  [0x6000_0000n + 112n, 0x20_0000_b000n],
  [0x6000_0000n + 192n, 0x1054n],
]);
const SHARING = like(LATER, (hyp) => {
  hyp.pages.set(pfn(0x6_0000), { ...SHARED_PAGE });
});

const unshared = step(LATER, hvc(INIT, STRUCT), answered(-1));
const init = step(SHARING, { ...hvc(INIT, STRUCT), words }, entered(0x20_0000_b054n));
const between = step(LATER, hvc(MAP, 0x6_0000n, 0x20_0000_b008n, 5n), answered(-22));
const late = step(LATER, hvc(LATE_CPUS), answered(0));

describe("loading", () => {
  tryClauses(LATER_LOADING, {
    "LOAD-41": [unshared, answering(unshared, answered(0)), leaving(unshared, takesPage)],
    "LOAD-42": [init, answering(init, entered(0x1054n)), leaving(init, takesPage)],
    "LOAD-45": [between, answering(between, answered(0)), leaving(between, takesPage)],
    "LOAD-46": [late, answering(late, DONE), leaving(late, takesPage)],
  });
});

const register = (address: bigint): Op => ({
  kind: "op",
  cpu: 0,
  op: "register_host_smc_handler",
  args: [address],
});
const ONE = like(LATER, (hyp) => {
  hyp.dispatch.callbacks.host_smc_handler = hypVa(0x1000n);
});
const FULL = like(ONE, (hyp) => {
  hyp.dispatch.further.host_smc_handler = Array.from({ length: 15 }, (_, n) =>
    hypVa(BigInt(0x2000 + n)),
  );
});
const second = step(ONE, register(0x3000n), returned(0), (hyp) => {
  hyp.dispatch.further.host_smc_handler = [hypVa(0x3000n)];
});
const seventeenth = step(FULL, register(0x3000n), returned(-16));
const back: SmcHandlerReturned = {
  kind: "host_smc_handler_returned",
  cpu: 0,
  handler: 0,
  handled: false,
  x: [1n],
};
const next = step(FULL, back, entered(0x2000n));

describe("handlers", () => {
  tryClauses(SEVERAL_HANDLERS, {
    "REG-21": [
      second,
      answering(second, returned(-16)),
      { ...second, post: second.pre },
      leaving(second, takesPage),
    ],
    "REG-22": [seventeenth, answering(seventeenth, returned(0)), leaving(seventeenth, takesPage)],
    "REG-23": [next, answering(next, entered(0x2001n)), leaving(next, takesPage)],
  });
});
