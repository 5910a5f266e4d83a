// The clauses of devices and of aborts of the host, each on steps made by hand, on three branches.

import type { BranchName } from "../../../spec/branches/branch.ts";
import { DEVICES } from "../../../spec/clauses/devices.ts";
import type { HostMemAbort, Op } from "../../../spec/types/action.ts";
import { type Pfn, pfn } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import {
  answered,
  answering,
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

const on = (branch: BranchName): Hyp =>
  like(DEPRIVILEGED, (hyp) => {
    hyp.config.branch = branch;
  });
const LTS = on("mainline-6.1");
const LATEST = on("mainline-7.3");

/** Numbers 9 and 10 of mainline-6.1. Source: measured, host-hypercall-ids. */
const [SHARE, UNSHARE] = [0xc600_0009n, 0xc600_000an];
const [CONSOLE, NOTHING] = [0x9000n, 0x10_0000n];

const touches = (page: Pfn): HostMemAbort => ({ kind: "host_mem_abort", cpu: 0, page });
/** The first page that both carve-outs hold. Source: measured, machines. */
const THEIRS = touches(pfn(0x7f200));

const mapped = step(LTS, hvc(SHARE, CONSOLE), answered(-22));
const unmapped = step(LTS, hvc(UNSHARE, NOTHING), answered(-1));
const ends = step(LTS, THEIRS, panicked("HOST_ABORT_UNHANDLED"));
const injected = step(LATEST, THEIRS, returned(-1));

/** Without its third argument, on a branch that asks for it. */
const donation: Op = { kind: "op", cpu: 0, op: "host_donate_hyp", args: [CONSOLE, 1n, 0n] };
const unasked = step(on("android16-6.12"), donation, returned(-1));

tryClauses(DEVICES, {
  "OWN-66": [unasked, answering(unasked, returned(0)), leaving(unasked, takesPage)],
  "OWN-61": [mapped, answering(mapped, answered(-1)), leaving(mapped, takesPage)],
  "OWN-62": [unmapped, answering(unmapped, answered(-22)), leaving(unmapped, takesPage)],
  "OWN-63": [ends, answering(ends, returned(-1)), answering(ends, panicked("EL2_BUG"))],
  "OWN-64": [injected, answering(injected, returned(0)), leaving(injected, takesPage)],
  "OWN-65": [injected, step(LATEST, touches(pfn(0x6_0000)), returned(-1))],
});
