// The clauses of KVM's hypercalls on mainline 6.1, each on steps made by hand.

import { KVM_HYPERCALLS } from "../../../spec/clauses/kvm-hypercalls.ts";
import {
  answered,
  answering,
  DEPRIVILEGED,
  DONE,
  hvc,
  leaving,
  like,
  panicked,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";

const PRE = like(DEPRIVILEGED, (hyp) => {
  hyp.config.branch = "mainline-6.1";
  hyp.vmcr.set(0, 0xff4c_0009n);
  hyp.vmcr.set(1, 0x4c_0008n);
});

/** Numbers 12, 17, 18 and 19. Source: measured, host-hypercall-ids. */
const [RUN, CNTVOFF, READ, WRITE] = [12n, 17n, 18n, 19n].map((n) => 0xc600_0000n + n) as [
  bigint,
  bigint,
  bigint,
  bigint,
];

const run = step(PRE, hvc(RUN, 0n), panicked("EL2_ABORT"));
const offset = step(PRE, hvc(CNTVOFF, 7n), DONE);
/** All ones: what is implemented, VFIQEn among it. Source: IHI 0069, ICH_VMCR_EL2. */
const ALL = 0xfffc_021bn;
const writes = step(PRE, hvc(WRITE, (1n << 64n) - 1n), DONE, (hyp) => {
  hyp.vmcr.set(0, ALL);
});
const reads = step(PRE, hvc(READ), answered(0xff4c_0009n));

tryClauses(KVM_HYPERCALLS, {
  "DISP-41": [run, answering(run, answered(0)), answering(run, panicked("EL2_BUG"))],
  "DISP-42": [offset, answering(offset, answered(0)), leaving(offset, takesPage)],
  "DISP-43": [
    writes,
    answering(writes, answered(0)),
    leaving(writes, (hyp) => hyp.vmcr.set(0, 0xffff_ffffn)),
    leaving(writes, (hyp) => hyp.vmcr.set(1, 0n)),
    leaving(writes, takesPage),
  ],
  "DISP-44": [reads, answering(reads, answered(0x4c_0008n)), leaving(reads, takesPage)],
});
