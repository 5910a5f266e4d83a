// The clauses of registration, dispatch and the ABI, each on steps made by hand.

import { describe } from "vitest";
import { ABI } from "../../../spec/clauses/abi.ts";
import { DISPATCH } from "../../../spec/clauses/dispatch.ts";
import { REGISTRATION } from "../../../spec/clauses/registration.ts";
import { hypVa } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import {
  answered,
  answering,
  type Case,
  DEPRIVILEGED,
  entered,
  HANDLER,
  hvc,
  LOADED,
  leaving,
  like,
  POWER_ON,
  panicked,
  returned,
  step,
  takesPage,
  tryClauses,
  UNKNOWN,
} from "../tried.ts";

const REGISTER = 0xc600_0010n;
const OUTSIDE = hypVa(0xffff_ff80_1234_5000n);
const debug = (hyp: Hyp): Hyp =>
  like(hyp, (h) => {
    h.config.build = "el2debug";
  });
const full = like(LOADED, (h) => {
  h.dispatch.dynamicHcalls = new Array(128).fill(HANDLER);
});
const withOne = like(LOADED, (h) => {
  h.dispatch.dynamicHcalls.push(HANDLER);
});
const registered = step(LOADED, hvc(REGISTER, HANDLER), answered(128), (h) => {
  h.dispatch.dynamicHcalls.push(HANDLER);
});
const again = step(withOne, hvc(REGISTER, HANDLER), answered(129), (h) => {
  h.dispatch.dynamicHcalls.push(HANDLER);
});
const outside = step(LOADED, hvc(REGISTER, OUTSIDE), answered(128), (h) => {
  h.dispatch.dynamicHcalls.push(OUTSIDE);
});
const op = (name: string, ...args: bigint[]) => ({ kind: "op", cpu: 0, op: name, args }) as const;
const SMC = "register_host_smc_handler";
const withCallback = like(LOADED, (h) => {
  h.dispatch.callbacks.host_smc_handler = HANDLER;
});
const stored = step(LOADED, op(SMC, HANDLER), returned(0), (h) => {
  h.dispatch.callbacks.host_smc_handler = HANDLER;
});
const busy = step(withCallback, op(SMC, OUTSIDE), returned(-16));
const storedLate = step(DEPRIVILEGED, op(SMC, HANDLER), returned(0), (h) => {
  h.dispatch.callbacks.host_smc_handler = HANDLER;
});
const forgets = (h: Parameters<Parameters<typeof like>[1]>[0]) => {
  h.dispatch.dynamicHcalls = [];
};

describe("registration", () => {
  const cases: Record<string, Case> = {
    "REG-1": [
      registered,
      answering(registered, answered(127)),
      step(LOADED, hvc(REGISTER, HANDLER), answered(128)),
      step(withOne, hvc(REGISTER, OUTSIDE), answered(129), (h) => {
        h.dispatch.dynamicHcalls = [OUTSIDE, HANDLER];
      }),
      leaving(registered, takesPage),
    ],
    "REG-2": [
      step(full, hvc(REGISTER, HANDLER), answered(-12)),
      step(full, hvc(REGISTER, HANDLER), answered(256)),
      step(full, hvc(REGISTER, HANDLER), answered(-12), (h) => {
        h.dispatch.dynamicHcalls.push(HANDLER);
      }),
    ],
    "REG-3": [
      step(debug(LOADED), hvc(REGISTER, OUTSIDE), panicked("BAD_HCALL_ADDRESS")),
      step(debug(LOADED), hvc(REGISTER, OUTSIDE), answered(128)),
      step(debug(LOADED), hvc(REGISTER, 0), answered(-22)),
    ],
    "REG-4": [again, step(withOne, hvc(REGISTER, HANDLER), answered(128))],
    "REG-5": [
      again,
      leaving(again, forgets),
      leaving(again, (h) => {
        h.dispatch.dynamicHcalls[0] = OUTSIDE;
      }),
    ],
    "REG-6": [
      step(LOADED, hvc(0xc600_000fn, HANDLER), entered(HANDLER)),
      step(LOADED, hvc(0xc600_000fn, HANDLER), entered(HANDLER), (h) => {
        h.dispatch.dynamicHcalls.push(HANDLER);
      }),
    ],
    "REG-7": [outside, answering(outside, answered(-22))],
    "REG-8": [
      stored,
      step(LOADED, op(SMC, HANDLER), returned(0)),
      answering(stored, returned(-16)),
      leaving(stored, (h) => {
        h.dispatch.callbacks.psci_notifier = HANDLER;
      }),
      leaving(stored, takesPage),
    ],
    "REG-9": [
      busy,
      answering(busy, returned(0)),
      leaving(busy, (h) => {
        h.dispatch.callbacks.host_smc_handler = OUTSIDE;
      }),
    ],
    "REG-10": [
      step(LOADED, op(SMC, 0n), returned(0)),
      step(LOADED, op(SMC, 0n), returned(-22)),
      step(LOADED, op(SMC, 0n), returned(0), (h) => {
        h.dispatch.callbacks.host_smc_handler = hypVa(0n);
      }),
    ],
    "REG-11": [
      stored,
      leaving(busy, (h) => {
        h.dispatch.callbacks = {};
      }),
      leaving(registered, (h) => {
        h.dispatch.callbacks.serial_driver = HANDLER;
      }),
    ],
    "REG-12": [storedLate, answering(storedLate, returned(-1))],
  };
  tryClauses(REGISTRATION, cases);
});

const FIRST = 0xc600_0080n;
const call = (x0: bigint, pre = DEPRIVILEGED) => step(pre, hvc(x0, 1, 2), entered(HANDLER));
/** Unknown: x0 = -1 and nothing else; x1 written; answered as known; something changed. */
const turnedAway = (x0: bigint, pre = DEPRIVILEGED): Case => [
  step(pre, hvc(x0), UNKNOWN),
  step(pre, hvc(x0), { kind: "hcall", x0: 0xffff_ffff_ffff_ffffn, x1: 0n }),
  step(pre, hvc(x0), answered(0)),
  step(pre, hvc(x0), UNKNOWN, takesPage),
];
const entersOnly = (x0: bigint): Case => [
  call(x0),
  answering(call(x0), UNKNOWN),
  answering(call(x0), entered(HANDLER + 4n)),
];
const withNull = like(LOADED, (h) => {
  h.dispatch.dynamicHcalls.push(hypVa(0n));
});
const stub = step(POWER_ON, hvc(FIRST), { kind: "hcall", x0: 0xbadca11n, x1: undefined });
const numbered = step(DEPRIVILEGED, { ...hvc(FIRST), imm: 5 }, entered(HANDLER));
const handled = step(
  DEPRIVILEGED,
  { kind: "handler_returned", cpu: 0, x: [0x7777n, 3n, 0n, 0n] },
  { kind: "hcall", x0: 0x7777n, x1: 3n },
);
const ABORT_AT = 0x8600_0004n;
const stops = (esr: bigint) =>
  step(
    DEPRIVILEGED,
    { kind: "el2_exception", cpu: 0, esr, elr: OUTSIDE, far: OUTSIDE, entered: "handler" },
    panicked("BAD_HCALL_ADDRESS"),
    (h) => {
      h.end = { kind: "hyp-panic", reason: "BAD_HCALL_ADDRESS", esr };
    },
  );
const hangs = step(
  DEPRIVILEGED,
  { kind: "budget_spent", cpu: 0, where: "handler" },
  { kind: "hang", where: "handler" },
  (h) => {
    h.end = { kind: "hang", where: "handler" };
  },
);
const goesOn = (h: Parameters<Parameters<typeof like>[1]>[0]) => {
  h.end = undefined;
};
const knownId = step(DEPRIVILEGED, hvc(0xc600_0011n), answered(-1));
const [unknownStep, x1Written] = turnedAway(0xc600_0000n);

describe("dispatch", () => {
  const cases: Record<string, Case> = {
    "DISP-1": [
      stub,
      answering(stub, UNKNOWN),
      answering(stub, { kind: "hcall", x0: 0xbadca11n, x1: 0n }),
      leaving(stub, takesPage),
    ],
    "DISP-2": turnedAway(REGISTER),
    "DISP-3": turnedAway(0xc600_0000n, LOADED),
    "DISP-4": turnedAway(0xc600_002cn, LOADED),
    "DISP-5": turnedAway(0x1_c600_0012n),
    "DISP-6": turnedAway(0xc601_0080n),
    "DISP-7": entersOnly(FIRST),
    "DISP-8": turnedAway(0xc600_0081n),
    "DISP-9": turnedAway(FIRST, withNull),
    "DISP-10": entersOnly(0xffff_ffff_c600_0080n),
    "DISP-11": [numbered, answering(numbered, UNKNOWN)],
    "DISP-12": [unknownStep, x1Written],
    "DISP-13": [unknownStep, leaving(unknownStep, takesPage)],
    "DISP-14": entersOnly(FIRST),
    "DISP-15": [
      handled,
      answering(handled, answered(3)),
      answering(handled, { kind: "hcall", x0: 0x7777n, x1: 4n }),
      leaving(handled, takesPage),
    ],
    "DISP-16": [
      stops(ABORT_AT),
      answering(stops(ABORT_AT), answered(0)),
      leaving(stops(ABORT_AT), goesOn),
      leaving(stops(ABORT_AT), takesPage),
    ],
    "DISP-17": [
      hangs,
      answering(hangs, answered(0)),
      leaving(hangs, goesOn),
      leaving(hangs, takesPage),
    ],
    "DISP-18": [knownId, answering(knownId, UNKNOWN)],
    "DISP-19": [call(FIRST), leaving(call(FIRST), takesPage)],
    "DISP-20": [stops(ABORT_AT), answering(stops(0x8600_0005n), panicked("EL2_BUG"))],
  };
  tryClauses(DISPATCH, cases);
});

const finds = (hostX0: bigint, pre = DEPRIVILEGED) =>
  step(pre, hvc(FIRST), { kind: "enters", address: HANDLER, hostX0 });

describe("the ABI", () => {
  const cases: Record<string, Case> = {
    "ABI-1": [
      step(LOADED, op("hyp_pa", BigInt(HANDLER)), returned(0)),
      step(LOADED, op("hyp_alloc", 8n), returned(0)),
      step(
        like(LOADED, (h) => {
          h.config.branch = "android17-6.18";
        }),
        op("map_module_page", 0n),
        returned(0),
      ),
    ],
    "ABI-2": [
      step(full, hvc(REGISTER, HANDLER), answered(-12)),
      step(full, hvc(REGISTER, HANDLER), answered(-0x1_0000_0000n)),
    ],
    "ABI-3": [registered, answering(registered, answered(0)), answering(registered, answered(256))],
    "ABI-4": [
      finds(0n),
      finds(FIRST),
      finds(
        0n,
        like(DEPRIVILEGED, (h) => {
          h.config.branch = "android15-6.6";
        }),
      ),
    ],
  };
  tryClauses(ABI, cases);
});
