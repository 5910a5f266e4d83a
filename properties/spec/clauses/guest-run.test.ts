// The clauses about entering and leaving a guest, each on steps made by hand.

import { GUEST_RUN } from "../../../spec/clauses/guest-run.ts";
import { PSCI, SMCCC } from "../../../spec/guest-calls.ts";
import type { Hvc } from "../../../spec/types/action.ts";
import type { GuestEntry, Outcome } from "../../../spec/types/outcome.ts";
import { IFLAG, VCPU } from "../../../spec/vm-layout.ts";
import {
  answered,
  answering,
  type Case,
  DEPRIVILEGED,
  leaving,
  like,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";
import {
  call,
  changing,
  FIRST_VA,
  GUARDED,
  GUEST,
  guestVcpu,
  guestVm,
  HOST,
  IPA,
  leftFor,
  PAGE,
  seen,
  told,
  UNPROTECTED,
} from "./guest-state.ts";

/** __kvm_vcpu_run(host_vcpu), and words of the host's structure. */
const run = (va = FIRST_VA, words: readonly (readonly [bigint, bigint])[] = []): Hvc => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: Array.from({ length: 18 }, (_, n) => [0xc600_0016n, va][n] ?? 0n),
  words: new Map(words.map(([offset, value]) => [HOST.first + offset, value])),
});
const runs = (entry: GuestEntry): Outcome => ({ kind: "runs", entry });
const refused = (pre: typeof GUEST, action: Hvc): Case => [
  step(pre, action, answered(-22)),
  step(pre, action, runs({ kind: "continues" })),
  step(pre, action, answered(-22), takesPage),
];
/** One entry is right, and going on as if nothing were is not. */
const entered = (pre: typeof GUEST, action: Hvc, entry: GuestEntry, ...wrong: GuestEntry[]): Case =>
  [
    step(pre, action, runs(entry)),
    ...[{ kind: "continues" } as const, ...wrong].map((other) => step(pre, action, runs(other))),
  ] as unknown as Case;

const waiting = like(GUEST, (h) => {
  Object.assign(guestVcpu(h), { power: "ON_PENDING", reset: { pc: IPA, x0: 9n } });
});
const withFirmware = like(GUEST, (h) => {
  Object.assign(guestVm(h), { primaryVcpu: 0, pvmfwLoadAddr: IPA });
  guestVcpu(h).power = "ON_PENDING";
});
const off = like(GUEST, (h) => {
  guestVcpu(h).power = "OFF";
});
const starts = changing(waiting, run(), runs({ kind: "starts", pc: IPA, x: [9n] }), (h) => {
  Object.assign(guestVcpu(h), { power: "ON", reset: undefined });
});
const firmware = changing(
  withFirmware,
  run(FIRST_VA, [[VCPU.regs, 3n]]),
  runs({ kind: "starts", pc: IPA, x: [3n, ...new Array<bigint>(14).fill(0n)] }),
  (h) => {
    guestVcpu(h).power = "ON";
    Object.assign(guestVm(h), { primaryVcpu: "entered", mmioGuard: true });
  },
);
const turnedOn = like(leftFor({ kind: "hvc", id: PSCI.CPU_ON64, x1: 1n }), (h) => {
  guestVcpu(h, 1).power = "ON_PENDING";
});
const refusedOn = step(
  turnedOn,
  run(FIRST_VA, [[VCPU.regs, 0xffff_ffff_ffff_fffen]]),
  runs({ kind: "answered", x0: BigInt.asUintN(64, -6n) }),
  (h) => {
    guestVcpu(h, 1).power = "OFF";
  },
);
const loads = leftFor({ kind: "data abort", mmio: true, loads: 3, far: 0x900_0000n });

/** A store of 8 bytes from x5 with a syndrome. */
const ESR = 0x93c5_8046n;
const abort = (esr: bigint, ipa: bigint, far = ipa) =>
  ({ kind: "guest_abort", cpu: 0, esr, far, ipa, stored: 0x77n }) as const;
const store = abort(ESR, 0x900_1000n, 0xabc9_0010n);
const exits = (x: readonly bigint[] | undefined, esr: bigint, far = 0x10n): Outcome =>
  ({ ...seen(x), esr, far, ipa: 0x900_1000n }) as Outcome;
const hidden = ESR & ~(0x1fn << 16n);
const blind = ESR & ~(1n << 24n);

const STAYS = { kind: "guest_budget_spent", cpu: 0, where: "a guest" } as const;

const cases: Record<string, Case> = {
  "GUEST-10": refused(DEPRIVILEGED, run()),
  "GUEST-11": refused(GUEST, run(FIRST_VA + 0x4000n)),
  "GUEST-12": refused(off, run()),
  "GUEST-60": [
    firmware[0],
    ...firmware.slice(1),
    leaving(firmware[0], (h) => {
      guestVm(h).mmioGuard = false;
    }),
    leaving(firmware[0], (h) => {
      guestVm(h).primaryVcpu = 0;
    }),
  ] as unknown as Case,
  "GUEST-61": [
    starts[0],
    ...starts.slice(1),
    answering(starts[0], runs({ kind: "starts", pc: IPA, x: [9n, 1n] })),
  ] as unknown as Case,
  "GUEST-62": entered(
    leftFor({ kind: "hvc", id: SMCCC.MEM_SHARE, x1: IPA }),
    run(FIRST_VA, [[VCPU.regs, 5n]]),
    { kind: "answered", x0: 0n },
    { kind: "answered", x0: 5n },
  ),
  "GUEST-63": entered(
    leftFor({ kind: "hvc", id: PSCI.CPU_SUSPEND64, x1: 0n }),
    run(FIRST_VA, [[VCPU.regs, 5n]]),
    { kind: "answered", x0: 5n },
    { kind: "answered", x0: 0n },
  ),
  "GUEST-64": entered(
    loads,
    run(FIRST_VA, [
      [VCPU.iflags, IFLAG.incrementPc],
      [VCPU.regs, 0x5an],
    ]),
    { kind: "accessed", loads: { register: 3, value: 0x5an } },
    { kind: "accessed", loads: { register: 4, value: 0x5an } },
    { kind: "aborts", ec: "data", far: 0x900_0000n },
  ),
  "GUEST-65": entered(UNPROTECTED, run(), { kind: "from the host" }),
  "GUEST-66": [
    refusedOn,
    answering(refusedOn, runs({ kind: "answered", x0: 0n })),
    step(turnedOn, run(), runs({ kind: "answered", x0: 1n })),
  ],
  "GUEST-70": [
    step(GUEST, store, exits([0x77n], hidden)),
    step(GUEST, store, exits([0n], hidden)),
    step(GUEST, store, exits([0x77n], ESR)),
    step(GUEST, store, exits([0x77n, 1n], hidden)),
    step(GUEST, store, exits([0x77n], hidden), takesPage),
  ],
  "GUEST-71": [
    step(GUARDED, store, exits([], blind)),
    step(GUARDED, store, exits([0x77n], blind)),
    step(GUARDED, store, exits([], ESR)),
    step(GUARDED, store, told(0n)),
  ],
  "GUEST-72": [
    step(GUEST, store, exits([0x77n], hidden)),
    step(GUEST, store, exits([0x77n], hidden, 0xabc9_0010n)),
  ],
  "GUEST-73": [
    step(UNPROTECTED, store, exits(undefined, ESR, 0xabc9_0010n)),
    step(UNPROTECTED, store, exits([], ESR, 0xabc9_0010n)),
    step(UNPROTECTED, store, exits(undefined, blind, 0xabc9_0010n)),
  ],
  "GUEST-75": [
    step(GUEST, STAYS, { kind: "hang", where: "a guest" }),
    step(GUEST, STAYS, told(0n)),
    step(GUEST, STAYS, { kind: "hang", where: "a guest" }, takesPage),
  ],
  "GUEST-74": [
    step(GUEST, call(SMCCC.HYP_MEMINFO), told(0x1000n)),
    step(GUEST, call(SMCCC.HYP_MEMINFO), told(0x1000n), (h) => {
      h.pages.delete(PAGE);
    }),
  ],
};

tryClauses(GUEST_RUN, cases);
