// What is meant on every branch and not done on some: the rules that their defects break.

import { branchOf, protFinalizeNumber, slotOf } from "../branches/branches.ts";
import { clause, type Step, type StepClause } from "../clause.ts";
import { FFA } from "../smccc.ts";
import { cite } from "../sources.ts";
import type { Hvc, Op } from "../types/action.ts";
import { addressOf, hypVa } from "../types/address.ts";
import { eventsOf } from "../types/outcome.ts";
import {
  argument,
  calls,
  functionId,
  pfnArgument,
  registered,
  SVE_HINT,
  staticNumber,
} from "./hypercall.ts";
import {
  all,
  answer,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  isUnknown,
  spell,
} from "./phrases.ts";
import { isFfaCall } from "./smc-step.ts";

const unmaps = calls("__pkvm_unmap_module_page");
const finalises = calls("__pkvm_prot_finalize");
const MEM_PROTECT = "hyp/nvhe/mem_protect.c";

/** The same call without the hint. */
const withoutHint = (step: Step<Hvc>): Step<Hvc> => {
  const [, ...rest] = step.action.x;
  return { ...step, action: { ...step.action, x: [functionId(step) & ~SVE_HINT, ...rest] } };
};

/** Whether the id, without its hint, is one that is let in at any time. */
function isKnownWithoutHint(step: Step<Hvc>): boolean {
  const plain = withoutHint(step);
  const branch = branchOf(step.pre.config);
  const number = staticNumber(branch, functionId(plain));
  const isLetIn = number !== undefined && number >= protFinalizeNumber(branch);
  return isLetIn || (registered(plain) ?? 0n) !== 0n;
}

/** A range of pages as its numbers say it, before any shift loses a bit. */
const endOfRange = ({ args }: Op): bigint => ((args[0] ?? 0n) + (args[2] ?? 0n)) << 12n;

export const DISPATCH_INTENT: readonly StepClause[] = [
  clause({
    id: "DISP-55",
    kind: "kernel",
    statement: "The SVE hint is no part of an id: what is known without it is known with it.",
    source: [
      cite("SMCCC", "2.5: the hint is no part of the function"),
      cite("android15-6.6", "handle_host_hcall, hyp/nvhe/hyp-main.c: ARM_SMCCC_CALL_HINTS"),
    ],
    on: ["hvc"],
    applies: (step) =>
      step.pre.boot.hypUp && (functionId(step) & SVE_HINT) !== 0n && isKnownWithoutHint(step),
    holds: ({ outcome }) => ensure(!isUnknown(outcome), "it is unknown"),
  }),
];

export const LIFECYCLE_INTENT: readonly StepClause[] = [
  clause({
    id: "LIFE-53",
    kind: "kernel",
    statement: "A CPU that is finalised is told -EPERM, which is what its caller looks for.",
    source: [
      cite("android14-6.1", `__pkvm_prot_finalize, ${MEM_PROTECT}`),
      cite("android17-6.18", "__pkvm_prot_finalize: what its caller's comment says"),
    ],
    on: ["hvc"],
    applies: (step) => finalises(step) && step.pre.boot.finalised[step.action.cpu] === true,
    holds: ({ outcome }) => answers(outcome, -1),
  }),
];

export const LOADING_INTENT: readonly StepClause[] = [
  clause({
    id: "LOAD-47",
    kind: "kernel",
    statement: "The host gets a page of a module back when EL2 has stopped mapping it, not before.",
    source: [cite("android16-6.12", "__pkvm_unmap_module_pages, hyp/nvhe/mm.c")],
    on: ["hvc"],
    applies: (step) =>
      unmaps(step) &&
      step.outcome.kind === "hcall" &&
      step.pre.el2.mappings.has(hypVa(argument(step, 2))) &&
      !step.post.el2.mappings.has(hypVa(argument(step, 2))),
    holds: (step) => {
      const page = pfnArgument(step, 1);
      const events = eventsOf(step.outcome);
      const [unmapped, given] = ["unmap", "give"].map((kind) =>
        events.findIndex((event) => event.kind === kind && "page" in event && event.page === page),
      ) as [number, number];
      return all(
        ensure(unmapped >= 0 && given >= 0, "the order is not told"),
        ensure(
          unmapped < given,
          `the host has 0x${addressOf(page).toString(16)} while EL2 still maps it`,
        ),
      );
    },
  }),
];

const LATER = ["android16-6.12", "android17-6.18"] as const;

export const IMPORTS_INTENT: readonly StepClause[] = [
  clause({
    id: "LOAD-48",
    kind: "kernel",
    statement: "Imports that are resolved change nothing, and others end the load.",
    source: [cite("android16-6.12", "pkvm_reloc_imported_symbols, arch/arm64/kvm/pkvm.c")],
    on: ["pkvm_reloc_imported_symbols"],
    branches: LATER,
    applies: () => true,
    holds: (step) => {
      const { name, value } = step.action;
      const half = step.post.modules.get(name)?.el2;
      const isKept = half === step.pre.modules.get(name)?.el2;
      return all(
        answers(step.outcome, value),
        ensure(value === 0 ? isKept : half !== "reserved", `the EL2 half of ${name} is ${half}`),
        changesOnly(step, "modules"),
      );
    },
  }),
  clause({
    id: "LOAD-49",
    kind: "kernel",
    statement: "A load that ends at its imports gives back the module's reference.",
    source: [
      cite("android16-6.12", "__pkvm_load_el2_module: module_put on every other way out"),
      cite("android14-6.1", "__pkvm_load_el2_module: try_module_get is for what EL2 runs"),
    ],
    on: ["pkvm_reloc_imported_symbols"],
    branches: LATER,
    applies: ({ action }) => action.value !== 0,
    holds: ({ pre, post, action }) => {
      const [before, now] = [pre, post].map((hyp) => hyp.modules.get(action.name)?.refcount ?? 0);
      return ensure(
        now === (before ?? 0) - 1,
        `${action.name} did not load and is held ${now} times, as before`,
      );
    },
  }),
];

export const SMC_INTENT: readonly StepClause[] = [
  clause({
    id: "SMC-32",
    kind: "kernel",
    statement: "An FF-A call that the proxy takes is answered.",
    source: [
      cite("android15-6.6", "kvm_host_ffa_handler, hyp/nvhe/ffa.c: its error is made and not set"),
      cite("android16-6.12", "kvm_host_ffa_handler, hyp/nvhe/ffa.c: ffa_set_retval"),
    ],
    on: ["smc"],
    applies: (step) =>
      (["version first", "swallowed", "filtered"] as const).some((policy) =>
        isFfaCall(policy, (id) => id !== FFA.VERSION)(step),
      ) && step.outcome.kind === "registers",
    holds: ({ outcome }) =>
      ensure(
        outcome.kind === "registers" && outcome.x.length > 0,
        "no register is written: the caller takes its own id for an answer",
      ),
  }),
];

export const PROTECTION_INTENT: readonly StepClause[] = [
  clause({
    id: "OWN-80",
    kind: "kernel",
    statement: "A change of protection of a range that needs more than 64 bits is refused.",
    source: [
      cite("android16-6.12", `module_change_host_page_prot, ${MEM_PROTECT}: check_add_overflow`),
    ],
    on: ["op"],
    branches: ["android14-6.1"],
    applies: ({ action }) =>
      action.op === "host_stage2_mod_prot_range" && endOfRange(action) > 1n << 64n,
    holds: (step) =>
      all(
        ensure((answer(step.outcome) ?? 0n) < 0n, `it is not refused: ${spell(step.outcome)}`),
        changesNothing(step),
      ),
  }),
];

export const OPS_INTENT: readonly StepClause[] = [
  clause({
    id: "ABI-24",
    kind: "kernel",
    statement: "An op that the branch declares, and that answers a number, can be called.",
    source: [cite("android17-6.18", "module_ops, hyp/nvhe/modules.c")],
    on: ["op"],
    applies: ({ pre, action }) =>
      slotOf(branchOf(pre.config), action.op)?.signature?.startsWith("int ") === true,
    holds: ({ action, outcome }) =>
      ensure(
        outcome.kind !== "hyp-panic" || outcome.reason !== "EL2_ABORT",
        `the slot of ${action.op} is NULL, and EL2 enters it`,
      ),
  }),
];
