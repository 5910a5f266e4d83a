// The clauses about what modules do at EL2, each on steps made by hand.

import type { Step } from "../../../spec/clause.ts";
import { MODULE_BEHAVIOUR } from "../../../spec/clauses/module-behaviour.ts";
import type { HandlerReturned } from "../../../spec/types/action.ts";
import { type HypVa, hypVa, type Pfn, pfn } from "../../../spec/types/address.ts";
import type {
  El2Access,
  OpFailed,
  SecretsVaried,
  Taken,
} from "../../../spec/types/observed-action.ts";
import { SHARED_PAGE } from "../../../spec/types/page.ts";
import {
  type Case,
  COMING,
  DATA_PFN,
  DEPRIVILEGED,
  DONE,
  HANDLER,
  LOADED,
  like,
  MAPPED,
  returned,
  step,
  TEXT_PFN,
  tryClauses,
} from "../tried.ts";

const PAGE = pfn(0x60000);
const CARVE_OUT = pfn(0x7f400);
const SHARED = like(DEPRIVILEGED, (hyp) => {
  hyp.pages.set(PAGE, { ...SHARED_PAGE });
});
const PINNED = like(DEPRIVILEGED, (hyp) => {
  hyp.pages.set(PAGE, { ...SHARED_PAGE, refcount: 1 });
});
/** DATA_PFN belongs to another module, whose code is not at HANDLER. */
const TWO = like(DEPRIVILEGED, (hyp) => {
  const mod1 = hyp.modules.get("mod1")!;
  const data = mod1.sections.filter(({ name }) => name === ".hyp.data");
  hyp.modules.set("mod2", { ...mod1, name: "mod2", sections: data });
  mod1.sections = mod1.sections.filter(({ name }) => name !== ".hyp.data");
});

const back = (more: Partial<HandlerReturned>): Step =>
  step(DEPRIVILEGED, { kind: "handler_returned", cpu: 0, x: [0n, 1n], ...more }, DONE);

const touches = (pre: Step["pre"], page: Pfn, more: Partial<El2Access> = {}): Step => {
  const va = hypVa(BigInt(page) << 12n);
  const action = {
    kind: "el2_access",
    cpu: 0,
    va,
    pfn: page,
    store: false,
    from: HANDLER,
  } as const;
  return step(pre, { ...action, ...more }, returned(0));
};

const REGISTERED = like(MAPPED, (hyp) => {
  hyp.dispatch.callbacks.host_smc_handler = HANDLER;
});
const WITH_HCALL = like(MAPPED, (hyp) => {
  hyp.dispatch.dynamicHcalls.push(HANDLER);
});

const initReturns = (pre: Step["pre"], value: number): Step =>
  step(
    pre,
    { kind: "el2_init_returned", cpu: 0, value: BigInt.asUintN(64, BigInt(value)) },
    returned(value),
  );
const el1Returns = (pre: Step["pre"], value: number): Step =>
  step(pre, { kind: "module_init_returned", name: "mod1", value }, returned(value));

/** create_private_mapping of a page with a protection, at an address of its own. */
const maps = (page: Pfn, prot: number): Step => ({
  pre: DEPRIVILEGED,
  action: { kind: "op", cpu: 0, op: "create_private_mapping", args: [BigInt(page) << 12n] },
  outcome: returned(0),
  post: like(DEPRIVILEGED, (hyp) => {
    hyp.el2.mappings.set(hypVa(0x20_0001_0000n), { pfn: page, prot });
  }),
});

const repeated = (first: Taken, second: Taken): Step =>
  step(
    DEPRIVILEGED,
    { kind: "call_repeated", cpu: 0, id: 0xc600_0080n, first, second },
    returned(0),
  );

const calls = (module: string, address: HypVa): Step =>
  step(
    DEPRIVILEGED,
    { kind: "hvc", cpu: 0, imm: 0, x: [0xc600_0080n], caller: { module, from: 0n } },
    { kind: "enters", address },
  );

const refused = (taken: Taken): Step => back({ x: [0n, 0xffff_ffff_ffff_fff0n], taken });

const varied = (more: Partial<SecretsVaried>): Step =>
  step(
    DEPRIVILEGED,
    { kind: "secrets_varied", cpu: 0, returns: true, registers: [], words: [], ...more },
    returned(0),
  );

const EARLY = like(LOADED, (hyp) => {
  hyp.el2.earlyBytes = 0x1000;
});
const drops = (pre: Step["pre"]): Step =>
  step(pre, { kind: "pkvm_drop_host_privileges" }, returned(0));

const fails = (more: Partial<OpFailed>): Step =>
  step(
    DEPRIVILEGED,
    {
      kind: "op_failed",
      cpu: 0,
      op: "pin_shared_mem",
      errno: "EPERM",
      answer: [0n, 0xffff_ffff_ffff_ffffn],
      otherAnswer: [0n, 1n],
      opCount: 2,
      otherOpCount: 2,
      from: HANDLER,
      ...more,
    },
    returned(0),
  );

const cases: Record<string, Case> = {
  "MOD-4": [back({}), back({ x: [0xffff_ffff_ffff_ffffn] })],
  "MOD-5": [
    touches(PINNED, PAGE, { store: true }),
    touches(SHARED, PAGE, { store: true }),
    touches(DEPRIVILEGED, PAGE),
    touches(DEPRIVILEGED, CARVE_OUT),
    touches(TWO, DATA_PFN),
  ],
  "MOD-6": [
    touches(DEPRIVILEGED, CARVE_OUT, { slot: 0 }),
    touches(DEPRIVILEGED, CARVE_OUT, { slot: 33 }),
    touches(DEPRIVILEGED, CARVE_OUT, { slot: 511 }),
  ],
  "MOD-7": [back({}), back({ fixmap: 0x6000_0000n })],
  "MOD-8": [initReturns(MAPPED, -22), initReturns(REGISTERED, -22), initReturns(WITH_HCALL, -5)],
  "MOD-9": [el1Returns(LOADED, 0), el1Returns(LOADED, -12)],
  "MOD-10": [el1Returns(LOADED, 0), el1Returns(COMING, 0), el1Returns(MAPPED, 0)],
  "MOD-12": [
    repeated({ pins: 1, pages: 0, addresses: 0 }, { pins: -1, pages: 2, addresses: 0 }),
    repeated({ pins: 1, pages: 0, addresses: 0 }, { pins: 1, pages: 0, addresses: 0 }),
    repeated({ pins: 0, pages: 2, addresses: 0 }, { pins: 0, pages: 2, addresses: 0 }),
    repeated({ pins: 0, pages: 0, addresses: 1 }, { pins: 0, pages: 0, addresses: 1 }),
  ],
  "MOD-13": [
    varied({}),
    varied({ registers: [{ register: 2, value: 0n, other: 5n }] }),
    varied({ returns: false }),
  ],
  "MOD-14": [varied({}), varied({ words: [{ address: 0x5000_0008n, value: 0n, other: 5n }] })],
  "MOD-15": [fails({}), fails({ answer: [0n, 1n] })],
  "MOD-16": [drops(LOADED), drops(EARLY)],
  "MOD-18": [
    calls("mod1", HANDLER),
    calls("mod1", hypVa(HANDLER + (1n << 30n))),
    calls("mod2", HANDLER),
  ],
  "MOD-17": [
    refused({ pins: 0, pages: 0, addresses: 1 }),
    refused({ pins: 0, pages: 1, addresses: 0 }),
    refused({ pins: 2, pages: 0, addresses: 0 }),
  ],
  "MOD-11": [maps(PAGE, 6), maps(TEXT_PFN, 6), maps(DATA_PFN, 5)],
};

tryClauses(MODULE_BEHAVIOUR, cases);
