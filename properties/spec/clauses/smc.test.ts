// The clauses of SMC, PSCI and FF-A, each on steps made by hand.

import { describe } from "vitest";
import { PSCI_CLAUSES } from "../../../spec/clauses/psci.ts";
import { SMC } from "../../../spec/clauses/smc.ts";
import { FFA, PSCI } from "../../../spec/smccc.ts";
import type { PsciCpuEntry, PsciNotified, Smc } from "../../../spec/types/action.ts";
import { hypVa, pfn } from "../../../spec/types/address.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import {
  answering,
  type Case,
  type Change,
  DEPRIVILEGED,
  entered,
  HANDLER,
  leaving,
  like,
  POWER_ON,
  panicked,
  returned,
  step,
  takesPage,
  tryClauses,
} from "../tried.ts";

const smc = (...x: readonly bigint[]): Smc => ({ kind: "smc", cpu: 0, imm: 0, x });
const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);
const registers = (...x: readonly bigint[]): Outcome => ({ kind: "registers", x: x.map(u64) });
const asking = (asked: readonly bigint[], ...x: readonly bigint[]): Outcome => ({
  kind: "registers",
  x: x.map(u64),
  asked,
});
const relayed = (x0: bigint): Outcome => registers(x0, 0n, 0n, 0n);
const error = (status: bigint): Outcome => registers(FFA.ERROR, 0n, status, 0n);
const off = (what: "CPU_OFF" | "SYSTEM_OFF" | "SYSTEM_RESET"): Outcome => ({ kind: "off", what });

const secondIs =
  (power: "on" | "off", booting?: { pc: bigint; r0: bigint }): Change =>
  (hyp) => {
    hyp.psci.power[1] = power;
    hyp.psci.booting[1] = booting;
  };
const having = (change: Change) => like(DEPRIVILEGED, change);
const callback =
  (type: "psci_notifier" | "host_smc_handler"): Change =>
  (hyp) => {
    hyp.dispatch.callbacks[type] = HANDLER;
  };
const ARGS = { pc: 0x4100_0000n, r0: 0x77n };
const OFF = having(secondIs("off"));
const BOOTING = having(secondIs("off", ARGS));
const NOTIFIED = having(callback("psci_notifier"));
const HANDLED = having(callback("host_smc_handler"));
const LOCKED = having((hyp) => {
  hyp.psci.memProtectLocked = true;
});
const GUEST = having((hyp) => {
  hyp.pages.set(pfn(0x50020), { host: "NOPAGE", owner: "GUEST", hyp: "NOPAGE", refcount: 0 });
});
const branch = (name: "android15-6.6" | "android17-6.18") =>
  having((hyp) => {
    hyp.config.branch = name;
  });
const NEWER = branch("android17-6.18");
const locks: Change = (hyp) => {
  hyp.psci.memProtectLocked = true;
};
const ends =
  (what: "SYSTEM_OFF" | "SYSTEM_RESET"): Change =>
  (hyp) => {
    locks(hyp);
    hyp.end = { kind: "off", what };
  };
const NONE: Change = () => undefined;

const CPU_ON = smc(PSCI.CPU_ON, 1n, ARGS.pc, ARGS.r0);
const EL2_ENTRY = 0x7f40_0000n;
const STARTS = [PSCI.CPU_ON, 1n, EL2_ENTRY, EL2_ENTRY] as const;
const VERSION = smc(PSCI.VERSION, 1n, 2n, 3n);
const SUSPEND = smc(PSCI.CPU_SUSPEND, 0n, ARGS.pc);
const ENTRY: PsciCpuEntry = { kind: "psci_cpu_entry", cpu: 1 };
const told = (event: number): Outcome => ({ kind: "enters", address: hypVa(HANDLER), event });
const back: PsciNotified = { kind: "psci_notified", cpu: 0, x: [PSCI.CPU_SUSPEND, 0n] };

const unknown = step(DEPRIVILEGED, smc(0x8400_0013n), relayed(-1n));
const version = step(DEPRIVILEGED, VERSION, asking(VERSION.x, 0x1_0001n, 0n, 0n, 0n));
const stranger = step(DEPRIVILEGED, smc(PSCI.CPU_ON, 9n), relayed(-2n));
const pending = step(BOOTING, CPU_ON, relayed(-4n));
const running = step(DEPRIVILEGED, CPU_ON, asking(STARTS, -4n, 0n, 0n, 0n));
const starting = step(OFF, CPU_ON, asking(STARTS, 0n, 0n, 0n, 0n), secondIs("off", ARGS));
const leavingCpu = step(
  DEPRIVILEGED,
  { ...smc(PSCI.CPU_OFF), cpu: 1 },
  off("CPU_OFF"),
  secondIs("off"),
);
const telling = step(NOTIFIED, SUSPEND, told(0));
const suspended = step(
  DEPRIVILEGED,
  SUSPEND,
  asking([PSCI.CPU_SUSPEND, 0n, EL2_ENTRY, EL2_ENTRY], 0n, 0n, 0n, 0n),
);
const waiting = step(LOCKED, smc(PSCI.SYSTEM_OFF), { kind: "hang", where: "EL2" });
const ending = step(DEPRIVILEGED, smc(PSCI.SYSTEM_OFF), off("SYSTEM_OFF"), ends("SYSTEM_OFF"));
const reset = smc(PSCI.SYSTEM_RESET2);
const resetting = step(DEPRIVILEGED, reset, asking(reset.x, -1n, 0n, 0n, 0n), locks);
const coming = step(BOOTING, ENTRY, returned(0), secondIs("on"));
const affinity = step(
  OFF,
  smc(PSCI.AFFINITY_INFO, 1n, 0n),
  asking([PSCI.AFFINITY_INFO, 1n, 0n, 0n], 1n, 0n, 0n, 0n),
);

const PSCI_CASES: Readonly<Record<string, Case>> = {
  "SMC-3": [unknown, answering(unknown, registers(-1n)), leaving(unknown, takesPage)],
  "SMC-4": [
    version,
    answering(version, relayed(0x1_0001n)),
    answering(version, asking(VERSION.x, 0x1_0001n)),
  ],
  "SMC-5": [
    stranger,
    answering(stranger, relayed(-4n)),
    answering(stranger, asking(STARTS, -2n, 0n, 0n, 0n)),
  ],
  "SMC-6": [pending, answering(pending, relayed(-5n)), leaving(pending, secondIs("on"))],
  "SMC-7": [running, answering(running, relayed(0n)), leaving(running, secondIs("on", ARGS))],
  "SMC-8": [
    starting,
    answering(starting, asking(CPU_ON.x, 0n, 0n, 0n, 0n)),
    step(OFF, CPU_ON, asking(STARTS, 0n, 0n, 0n, 0n)),
    answering(starting, asking([PSCI.CPU_ON, 0n, EL2_ENTRY], 0n, 0n, 0n, 0n)),
    leaving(starting, takesPage),
  ],
  "SMC-9": [leavingCpu, answering(leavingCpu, relayed(0n)), leaving(leavingCpu, secondIs("on"))],
  "SMC-10": [telling, answering(telling, told(1)), answering(telling, relayed(0n))],
  "SMC-11": [
    suspended,
    answering(suspended, asking(SUSPEND.x, 0n, 0n, 0n, 0n)),
    answering(suspended, relayed(-1n)),
    step(NOTIFIED, back, relayed(0n)),
  ],
  "SMC-12": [waiting, answering(waiting, off("SYSTEM_OFF"))],
  "SMC-13": [
    ending,
    answering(ending, relayed(0n)),
    step(DEPRIVILEGED, smc(PSCI.SYSTEM_OFF), off("SYSTEM_OFF")),
    leaving(ending, (hyp) => {
      hyp.firmware.content = "image";
    }),
  ],
  "SMC-14": [
    resetting,
    step(DEPRIVILEGED, reset, asking(reset.x, -1n, 0n, 0n, 0n)),
    step(GUEST, reset, asking(reset.x, -1n, 0n, 0n, 0n), locks),
    leaving(resetting, takesPage),
  ],
  "SMC-15": [
    coming,
    step(BOOTING, ENTRY, returned(0)),
    step(DEPRIVILEGED, ENTRY, returned(0), NONE),
    step(like(BOOTING, callback("psci_notifier")), ENTRY, returned(0), secondIs("on")),
  ],
  "SMC-16": [affinity, answering(affinity, relayed(0n)), answering(affinity, relayed(-2n))],
  "SMC-17": [
    step(OFF, VERSION, relayed(0n)),
    step(OFF, { ...VERSION, cpu: 1 }, relayed(0n)),
    step(OFF, VERSION, relayed(0n), secondIs("on")),
  ],
};

const OTHER = smc(0x8300_0000n, 1n);
const direct = step(POWER_ON, VERSION, asking(VERSION.x, 0x1_0001n));
const immediate = step(NEWER, { ...VERSION, imm: 1 }, registers(-1n));
const blocked = step(DEPRIVILEGED, smc(FFA.MSG_SEND), error(-1n));
const asked = (id: bigint): Smc => smc(FFA.FEATURES, id);
const hidden = step(DEPRIVILEGED, asked(FFA.MSG_SEND), error(-1n));
const shown = step(DEPRIVILEGED, asked(FFA.MEM_SHARE), registers(FFA.SUCCESS, 0n, 0n, 0n));
const map = (tx: bigint, pages: bigint): Smc => smc(FFA.RXTX_MAP, tx, 0x4000_1000n, pages);
const twoPages = step(DEPRIVILEGED, map(0x4000_0000n, 2n), error(-2n));
const between = step(DEPRIVILEGED, map(0x4000_0008n, 1n), error(-2n));
const BUFFER = u64(0x4000_0000n - 0x40_0000_0000n);
const MAPS = [FFA.RXTX_MAP, BUFFER, BUFFER, 1n, 0n, 0n, 0n, 0n];
const wrongX2 = asking(MAPS, FFA.ERROR, 0n, 0x4000_0000n, 0n);
const mapped = step(DEPRIVILEGED, map(0x4000_0000n, 1n), wrongX2);
const shared = step(DEPRIVILEGED, smc(FFA.MEM_SHARE, 0x100n, 0x100n), error(-2n));
const reclaims = step(DEPRIVILEGED, smc(FFA.MEM_RECLAIM), panicked("EL2_ABORT"));
const noVersion = step(NEWER, smc(FFA.VERSION, 0x1_0000n), relayed(-1n));
const early = step(NEWER, smc(FFA.MEM_SHARE), error(-2n));
const seen = step(HANDLED, OTHER, entered(HANDLER));
const left = step(DEPRIVILEGED, OTHER, asking(OTHER.x, -1n));
const keeps = {
  kind: "host_smc_handler_returned",
  cpu: 0,
  handler: 0,
  handled: true,
  x: [5n, 6n],
} as const;
const passes = { ...keeps, handled: false };
const kept = step(HANDLED, keeps, registers(5n, 6n));
const passed = step(HANDLED, passes, asking([5n, 6n], -1n));

const SMC_CASES: Readonly<Record<string, Case>> = {
  "SMC-1": [
    direct,
    answering(direct, relayed(0x1_0001n)),
    answering(direct, asking(VERSION.x, 0n, 0n)),
  ],
  "SMC-2": [immediate, answering(immediate, relayed(0x1_0001n))],
  "SMC-18": [blocked, answering(blocked, error(-2n)), answering(blocked, asking([], -1n))],
  "SMC-19": [hidden, answering(hidden, registers(FFA.SUCCESS, 0n, 0n, 0n))],
  "SMC-20": [shown, answering(shown, error(-1n)), leaving(shown, takesPage)],
  "SMC-21": [twoPages, answering(twoPages, wrongX2)],
  "SMC-22": [between, answering(between, wrongX2)],
  "SMC-23": [
    mapped,
    answering(mapped, error(-2n)),
    answering(mapped, asking(map(0x4000_0000n, 1n).x, FFA.ERROR, 0n, 0x4000_0000n, 0n)),
  ],
  "SMC-24": [shared, answering(shared, registers(-1n)), leaving(shared, takesPage)],
  "SMC-25": [reclaims, answering(reclaims, error(-2n))],
  "SMC-26": [noVersion, answering(noVersion, registers(-1n))],
  "SMC-27": [
    early,
    answering(early, registers()),
    step(branch("android15-6.6"), smc(FFA.MEM_SHARE), error(-2n)),
  ],
  "SMC-28": [seen, answering(seen, asking(OTHER.x, -1n)), answering(seen, entered(0x1000n))],
  "SMC-29": [left, answering(left, registers(-1n)), answering(left, asking(OTHER.x, -1n, 0n))],
  "SMC-30": [kept, answering(kept, asking([5n, 6n], 5n, 6n)), answering(kept, registers(5n))],
  "SMC-31": [passed, answering(passed, registers(5n, 6n)), answering(passed, asking(OTHER.x, -1n))],
};

describe("PSCI", () => {
  tryClauses(PSCI_CLAUSES, PSCI_CASES);
});
describe("SMC", () => {
  tryClauses(SMC, SMC_CASES);
});
