// What calls that make VMs and vCPUs are for: their answer is true, and a refusal costs nothing.

import { clause, type StepClause } from "../clause.ts";
import { pageAt } from "../machine.ts";
import { cite } from "../sources.ts";
import { pfn } from "../types/address.ts";
import type { MemoryEvent } from "../types/memory-event.ts";
import { eventsOf } from "../types/outcome.ts";
import { reachedHcall } from "./hypercall.ts";
import { answer, ensure } from "./phrases.ts";
import { type Check, type HvcStep, isAboutVms } from "./vm-lookup.ts";

const MAKERS: readonly string[] = ["__pkvm_init_vm", "__pkvm_init_vcpu"];

/** A call that would make a VM or a vCPU answers an errno. */
const isRefused: Check = (step) =>
  isAboutVms(step) &&
  MAKERS.includes(reachedHcall(step) ?? "") &&
  (answer(step.outcome) ?? 0n) < 0n;

/** The page whose bytes something changes. */
function changedPage(event: MemoryEvent): number | undefined {
  switch (event.kind) {
    case "zero":
      return event.page;
    case "copy":
      return event.to;
    case "store":
      return Number(event.address >> 12n);
    default:
      return undefined;
  }
}

/** The first page that was the host's and is written over by the step. */
const overwritten = ({ pre, outcome }: HvcStep): number | undefined =>
  eventsOf(outcome)
    .map(changedPage)
    .find((page) => page !== undefined && pageAt(pre, pfn(page)).owner === "HOST");

export const VM_INTENT: readonly StepClause[] = [
  clause({
    id: "VM-87",
    kind: "kernel",
    statement: "What answers a call for a VM, if it is no errno, is the handle of a new VM.",
    source: [
      cite(
        "android14-6.1",
        "__pkvm_init_vm, hyp/nvhe/pkvm.c: the handle on success, as told above",
      ),
      cite("android14-6.1", "__pkvm_create_hyp_vm, arch/arm64/kvm/pkvm.c: only < 0 is a failure"),
    ],
    on: ["hvc"],
    branches: ["android14-6.1"],
    applies: (step) =>
      reachedHcall(step) === "__pkvm_init_vm" && (answer(step.outcome) ?? -1n) >= 0n,
    holds: ({ pre, outcome, post }) => {
      const handle = Number(answer(outcome));
      return ensure(
        post.vmTable.has(handle) && !pre.vmTable.has(handle),
        `the answer is ${handle}, and no VM of that handle was made`,
      );
    },
  }),
  clause({
    id: "VM-88",
    kind: "kernel",
    statement: "A call for a VM or a vCPU that is refused leaves the host's memory as it was.",
    source: [
      cite("android14-6.1", "__pkvm_init_vm, __pkvm_init_vcpu, hyp/nvhe/pkvm.c: nothing is made"),
    ],
    on: ["hvc"],
    branches: ["android14-6.1"],
    applies: isRefused,
    holds: (step) => {
      const page = overwritten(step);
      return ensure(
        page === undefined,
        `it is refused, and pfn 0x${(page ?? 0).toString(16)} of the host is written over`,
      );
    },
  }),
];
