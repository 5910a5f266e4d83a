// The clauses that say what is meant on every branch, each on steps made by hand.

import {
  DISPATCH_INTENT,
  IMPORTS_INTENT,
  LIFECYCLE_INTENT,
  LOADING_INTENT,
  OPS_INTENT,
  PROTECTION_INTENT,
  SMC_INTENT,
} from "../../../spec/clauses/intent.ts";
import type { Op, RelocImportedSymbols, Smc } from "../../../spec/types/action.ts";
import type { MemoryEvent } from "../../../spec/types/memory-event.ts";
import { after, type Outcome } from "../../../spec/types/outcome.ts";
import { PLAIN_PAGE } from "../../../spec/types/page.ts";
import {
  answered,
  answering,
  type Change,
  DEPRIVILEGED,
  DONE,
  entered,
  HANDLER,
  hvc,
  leaving,
  like,
  MAPPED,
  panicked,
  RESERVED,
  recordOf,
  returned,
  step,
  TEXT_PFN,
  TEXT_VA,
  takesPage,
  tryClauses,
  UNKNOWN,
} from "../tried.ts";

/** __pkvm_prot_finalize, the first registered id, and both with the SVE hint. */
const FINALIZE = 0xc600_0011n;
const DYNAMIC = 0xc600_0080n;
const HINT = 1n << 16n;
/** __pkvm_unmap_module_page. */
const UNMAP = 0xc600_000en;

const hinted = step(DEPRIVILEGED, hvc(FINALIZE | HINT), answered(-1));
const registered = step(DEPRIVILEGED, hvc(DYNAMIC | HINT), entered(HANDLER));
const again = step(DEPRIVILEGED, hvc(FINALIZE), answered(-1));

const unmapped: Change = (hyp) => {
  hyp.el2.mappings.delete(TEXT_VA);
  hyp.pages.set(TEXT_PFN, { ...PLAIN_PAGE });
};
const telling = (...kinds: readonly ("unmap" | "give")[]): Outcome =>
  after(
    kinds.map((kind): MemoryEvent => ({ kind, page: TEXT_PFN })),
    DONE,
  );
const unmaps = step(
  MAPPED,
  hvc(UNMAP, BigInt(TEXT_PFN), TEXT_VA),
  telling("unmap", "give"),
  unmapped,
);

const imports = (value: number): RelocImportedSymbols => ({
  kind: "pkvm_reloc_imported_symbols",
  name: "mod1",
  value,
});
const resolved = step(RESERVED, imports(0), returned(0));
const unresolved = step(RESERVED, imports(-22), returned(-22), (hyp) => {
  Object.assign(recordOf(hyp, "mod1"), { el2: "failed", refcount: 1 });
});
const holdsAgain: Change = (hyp) => {
  recordOf(hyp, "mod1").refcount += 1;
};

const onLater = like(DEPRIVILEGED, (hyp) => {
  hyp.config.branch = "android15-6.6";
});
/** RXTX_MAP. Source: DEN0077A, 7.2. */
const map: Smc = { kind: "smc", cpu: 0, x: [0xc400_0066n, 0n, 0n] };
const invalid: Outcome = { kind: "registers", x: [0x8400_0060n, 0n, 0xffff_ffff_ffff_fffen, 0n] };

const op = (name: string, ...args: bigint[]): Op => ({ kind: "op", cpu: 0, op: name, args });
const refused = step(
  DEPRIVILEGED,
  op("host_stage2_mod_prot_range", 0x50010n, 0n, (1n << 52n) + 1n),
  returned(-22),
);
const mapped = step(DEPRIVILEGED, op("map_module_page", 0x50010n, TEXT_VA, 4n, 0n), returned(0));

tryClauses(
  [
    ...DISPATCH_INTENT,
    ...IMPORTS_INTENT,
    ...LIFECYCLE_INTENT,
    ...LOADING_INTENT,
    ...OPS_INTENT,
    ...PROTECTION_INTENT,
    ...SMC_INTENT,
  ],
  {
    "DISP-55": [hinted, answering(hinted, UNKNOWN), answering(registered, UNKNOWN)],
    "LIFE-53": [again, answering(again, answered(-22)), answering(again, answered(0))],
    "LOAD-47": [
      unmaps,
      answering(unmaps, telling("give", "unmap")),
      answering(unmaps, telling("give")),
      answering(unmaps, DONE),
    ],
    "LOAD-48": [
      resolved,
      answering(resolved, returned(-22)),
      leaving(resolved, takesPage),
      leaving(resolved, (hyp) => {
        recordOf(hyp, "mod1").el2 = "failed";
      }),
      { ...unresolved, post: RESERVED },
    ],
    "LOAD-49": [unresolved, leaving(unresolved, holdsAgain)],
    "ABI-24": [mapped, answering(mapped, panicked("EL2_ABORT"))],
    "OWN-80": [refused, answering(refused, returned(0)), leaving(refused, takesPage)],
    "SMC-32": [step(onLater, map, invalid), step(onLater, map, { kind: "registers", x: [] })],
  },
);
