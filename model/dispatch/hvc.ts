// One HVC of the host: from the vector to the handler, and back.

import { match } from "ts-pattern";
import { branchOf } from "../../spec/branches/branches.ts";
import type { ClauseId } from "../../spec/clause.ts";
import { cite } from "../../spec/sources.ts";
import type { El2InitReturned, HandlerReturned, Hvc } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { NOT_SUPPORTED, type Outcome, SMCCC_RET_SUCCESS } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";
import { type Decoded, decode, HVC_STUB_ERR } from "./decode.ts";
import type { Hypercall, HypercallArgs } from "./hypercall.ts";
import { hypercallOf } from "./hypercalls.ts";
import { initReturned } from "./module-hypercalls.ts";

/**
 * The lowest table index that may be called: everything while the host is trusted, and
 * __pkvm_prot_finalize and above
 * once the key has flipped. This range test is the only latch there is.
 * Source: handle_host_hcall, hyp/nvhe/hyp-main.c (android14-6.1).
 */
export function hcallMin(hyp: Pick<Hyp, "boot" | "config">): number {
  return hyp.boot.key ? branchOf(hyp.config).hcalls.indexOf("__pkvm_prot_finalize") : 0;
}

/** What the x0 of an HVC means now. */
const decodeHvc = (hyp: Hyp, { x }: Hvc): Decoded =>
  decode(branchOf(hyp.config), hyp.dispatch.dynamicHcalls, x[0] ?? 0n);

/**
 * The hypercall that an HVC reaches if it gets past the guards, with its arguments; or the name
 * that is not modelled.
 */
export function reached(hyp: Hyp, action: Hvc): { call: Hypercall; args: HypercallArgs } | string {
  const decoded = decodeHvc(hyp, action);
  if (decoded.kind !== "static") return "no entry of the table";
  const call = hypercallOf(hyp, decoded.name);
  return call === undefined
    ? decoded.name
    : { call, args: { cpu: action.cpu, args: action.x.slice(1, 8), ...wordsOf(action) } };
}

const wordsOf = ({ words }: Hvc): Pick<HypercallArgs, "words"> =>
  words === undefined ? {} : { words };

/** A guard that refuses one reading of x0 as unknown. */
const refuses = (clause: ClauseId, wrong: (decoded: Decoded, hyp: Hyp) => boolean) => ({
  clause,
  permits: (hyp: Hyp, action: Hvc) => !wrong(decodeHvc(hyp, action), hyp),
  refusal: () => NOT_SUPPORTED,
});

/** The dispatcher itself; a table entry's own guards and effect follow in `reached`. */
export const hvc: Transition<Hvc> = {
  name: "handle_host_hcall",
  source: [
    cite("android14-6.1", "handle_trap, handle_host_hcall, hyp/nvhe/hyp-main.c"),
    cite("measured", "mod-ok, mod-rawids, mod-kvmoff, mod-notprotected"),
  ],
  guards: [
    // Without pKVM at EL2 the stub vectors answer. The HVC's immediate is never looked at.
    {
      clause: "DISP-1",
      permits: (hyp) => hyp.boot.hypUp,
      refusal: (_, { x }) => stubAnswer(x[0] ?? 0n),
    },
    // 1. The registered hypercalls, whatever the phase. On 6.1 the hint bit makes any id an
    // unregistered one.
    refuses("DISP-8", ({ kind }) => kind === "unregistered"),
    refuses("DISP-9", (decoded) => decoded.kind === "dynamic" && decoded.handler === 0n),
    // 2. The table: the latch, the empty slot, the end.
    refuses("DISP-2", (decoded, hyp) => decoded.kind === "static" && decoded.index < hcallMin(hyp)),
    refuses("DISP-3", ({ kind }) => kind === "empty slot"),
    refuses("DISP-4", ({ kind }) => kind === "beyond the table"),
  ],
  effect: (hyp, action) =>
    match(decodeHvc(hyp as Hyp, action))
      .with(
        { kind: "dynamic" },
        ({ handler }): Outcome => ({
          kind: "enters",
          address: handler,
          hostX0: x0OfHandler(hyp as Hyp, action),
        }),
      )
      .with({ kind: "static" }, ({ name }): Outcome => ({ kind: "unmodelled", what: name }))
      // Only a removed guard gets here: the kernel would read past its table.
      .otherwise((): Outcome => ({ kind: "hyp-panic", reason: "EL2_ABORT" })),
};

/** What a handler finds in the host's x0: 6.1 writes SUCCESS first, later branches leave the id. */
const x0OfHandler = (hyp: Hyp, { x }: Hvc): bigint =>
  branchOf(hyp.config).dispatcherSetsX0 ? SMCCC_RET_SUCCESS : (x[0] ?? 0n);

/**
 * The stub vectors know four calls, which only the kernel's own start-up makes. Source: hyp-stub.S.
 */
function stubAnswer(x0: bigint): Outcome {
  if (x0 < 4n) return { kind: "unmodelled", what: `HVC stub call ${x0}` };
  return { kind: "hcall", x0: HVC_STUB_ERR, x1: undefined };
}

/** An EL2 init came back; its int is the answer of __pkvm_init_module. */
export const el2InitReturned: Transition<El2InitReturned> = {
  name: "el2_init_returned",
  source: [cite("android14-6.1", "__pkvm_init_module, hyp/nvhe/modules.c")],
  guards: [],
  effect: (_, { value }) => initReturned(value),
};

/** A registered handler came back; the host gets the registers as the handler left them. */
export const handlerReturned: Transition<HandlerReturned> = {
  name: "handler_returned",
  source: [cite("measured", "mod-ok: x0 to x3 are returned as the handler leaves them")],
  guards: [],
  effect: (_, { x }) => ({ kind: "hcall", x0: x[0] ?? 0n, x1: x[1] ?? 0n }),
};
