// Aborts of the host: what a module's handler makes of a permission fault, and the injection.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type {
  HostInjectAbort,
  HostPermFault,
  IllegalAbort,
  PermFaultHandlerReturned,
} from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { type Outcome, returned } from "../../spec/types/outcome.ts";
import { handlersOf } from "../ops/register.ts";
import type { Transition } from "../transition.ts";

const MEM_PROTECT = "hyp/nvhe/mem_protect.c";
const read = (where: string) => [cite("android14-6.1", `${where}, ${MEM_PROTECT}`)];

/** The n-th handler of permission faults is entered; without one the fault is refused. */
function nextHandler(hyp: Hyp, n: number): Outcome {
  const address = handlersOf(hyp, "host_perm_fault_handler")[n];
  return address === undefined ? returned(negative("EPERM")) : { kind: "enters", address };
}

/** handle_host_perm_fault: nobody but a module can have taken a permission away. */
export const hostPermFault: Transition<HostPermFault> = {
  name: "handle_host_perm_fault",
  source: [
    ...read("handle_host_perm_fault"),
    cite("measured", "ops-permfault-nohandler: the access is aborted"),
  ],
  guards: [],
  effect: (hyp) => nextHandler(hyp, 0),
};

/** Whether the branch keeps one handler, whose errno is the answer. */
const isAlone = ({ config }: Pick<Hyp, "config">): boolean =>
  branchOf(config).multiSlotCallbacks.length === 0;

/** What the abort handler may be told. */
const ANSWERS: readonly number[] = [0, negative("EAGAIN"), negative("EPERM")];

/**
 * A handler came back: 0 ends it. Of one alone -EAGAIN means again, -EPERM an abort for the host,
 * and anything else is a bug; of several, the next is asked.
 */
export const permFaultHandlerReturned: Transition<PermFaultHandlerReturned> = {
  name: "host_perm_fault_handler_returned",
  source: [
    ...read("handle_host_mem_abort: BUG_ON"),
    cite("android16-6.12", "module_handle_host_perm_fault, hyp/nvhe/modules.c"),
  ],
  guards: [
    {
      clause: "OWN-73",
      permits: (hyp, { value }) => !isAlone(hyp) || ANSWERS.includes(value),
      refusal: () => ({ kind: "hyp-panic", reason: "EL2_BUG" }),
    },
  ],
  effect: (hyp, { handler, value }) => {
    if (value === 0 || isAlone(hyp)) return returned(value);
    return nextHandler(hyp, handler + 1);
  },
};

/** The notifier of illegal aborts, before the host gets one. */
export const illegalAbort: Transition<IllegalAbort> = {
  name: "illegal_abt_notifier",
  source: read("host_inject_abort: illegal_abt_notifier"),
  guards: [],
  effect: ({ dispatch }) => {
    const address = dispatch.callbacks.illegal_abt_notifier;
    return address === undefined ? returned(0) : { kind: "enters", address };
  },
};

/** ESR_ELx.EC; an abort from the same level is one more. Source: DDI0487 D24.2.40. */
const EC_ONE = 1n << 26n;
/** ISS.S1PTW, which tells the host's kernel whose abort it is. */
const S1PTW = 1n << 7n;

/** The syndrome that the host finds. Source: host_inject_abort, hyp/nvhe/mem_protect.c. */
export const injectedEsr = (esr: bigint, fromEl1: boolean): bigint =>
  (esr + (fromEl1 ? EC_ONE : 0n)) | S1PTW;

/** host_inject_abort: the host takes the abort itself. */
export const hostInjectAbort: Transition<HostInjectAbort> = {
  name: "host_inject_abort",
  source: read("host_inject_abort"),
  guards: [],
  effect: (_, { esr, fromEl1 }) => returned(injectedEsr(esr, fromEl1)),
};
