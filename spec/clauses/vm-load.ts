// Which vCPU a CPU has loaded: what is refused is refused without a sign.

import { clause, type StepClause } from "../clause.ts";
import { cite, type Source } from "../sources.ts";
import type { LoadedVcpu } from "../types/hyp-vm.ts";
import { SMCCC_RET_SUCCESS } from "../types/outcome.ts";
import { argument, reachedHcall } from "./hypercall.ts";
import { all, changesNothing, changesOnly, ensure, equal, type Verdict } from "./phrases.ts";
import {
  type Check,
  failsAt,
  type HvcStep,
  handleArgument,
  low32,
  passes,
  vmNamed,
} from "./vm-lookup.ts";

const LOAD = "__pkvm_vcpu_load";
const read = (at: string): Source => cite("android14-6.1", `${at}, hyp/nvhe/pkvm.c`);

const indexArgument = (step: HvcStep): number => Number(low32(argument(step, 2)));

const asked = (step: HvcStep): LoadedVcpu => ({
  handle: handleArgument(step),
  vcpu: indexArgument(step),
});

/** The checks of pkvm_load_hyp_vcpu, in its order. */
const CHECKS: readonly Check[] = [
  ({ pre, action }) => pre.loaded[action.cpu] === undefined,
  (step) => vmNamed(step) !== undefined,
  (step) => vmNamed(step)?.isDying === false,
  (step) => indexArgument(step) < (vmNamed(step)?.vcpus.length ?? 0),
  (step) => !step.pre.loaded.some((which) => equal(which, asked(step))),
];

/** It is known, and x1 stays as it was. */
export const showsNothing = ({ outcome }: HvcStep): Verdict =>
  ensure(
    outcome.kind === "hcall" && outcome.x0 === SMCCC_RET_SUCCESS && outcome.x1 === undefined,
    "x1 is not left as it was",
  );

const refusesSilently = (step: HvcStep): Verdict => all(showsNothing(step), changesNothing(step));

/** The CPU has this loaded now, and the others have what they had. */
const loads = (step: HvcStep, which: LoadedVcpu | undefined): Verdict =>
  all(
    showsNothing(step),
    ensure(
      equal(step.post.loaded, step.pre.loaded.with(step.action.cpu, which)),
      "what is loaded is not as it becomes",
    ),
    changesOnly(step, "loaded"),
  );

const measured = cite("measured", "life-p, life-map-p: host_map_guest says -22 after it");

export const VM_LOAD: readonly StepClause[] = [
  clause({
    id: "VM-30",
    kind: "kernel",
    statement: "A CPU that has a vCPU loaded loads no other.",
    source: [read("pkvm_load_hyp_vcpu"), measured],
    on: ["hvc"],
    applies: failsAt(LOAD, CHECKS, 0),
    holds: refusesSilently,
  }),
  clause({
    id: "VM-31",
    kind: "kernel",
    statement: "A vCPU of a VM that is not there is not loaded.",
    source: [read("pkvm_load_hyp_vcpu"), cite("measured", "vmbad: x1 stays")],
    on: ["hvc"],
    applies: failsAt(LOAD, CHECKS, 1),
    holds: refusesSilently,
  }),
  clause({
    id: "VM-32",
    kind: "kernel",
    statement: "A vCPU of a VM that is torn down is not loaded.",
    source: [read("pkvm_load_hyp_vcpu: is_dying"), measured],
    on: ["hvc"],
    applies: failsAt(LOAD, CHECKS, 2),
    holds: refusesSilently,
  }),
  clause({
    id: "VM-33",
    kind: "kernel",
    statement: "A vCPU that was not made is not loaded.",
    source: [read("pkvm_load_hyp_vcpu: nr_vcpus"), measured],
    on: ["hvc"],
    applies: failsAt(LOAD, CHECKS, 3),
    holds: refusesSilently,
  }),
  clause({
    id: "VM-34",
    kind: "kernel",
    statement: "A vCPU is loaded on one CPU at a time.",
    source: [read("pkvm_load_hyp_vcpu: loaded_hyp_vcpu"), measured],
    on: ["hvc"],
    applies: failsAt(LOAD, CHECKS, 4),
    holds: refusesSilently,
  }),
  clause({
    id: "VM-35",
    kind: "kernel",
    statement: "A vCPU that nothing speaks against is loaded on the CPU that asks.",
    source: [read("pkvm_load_hyp_vcpu"), cite("measured", "life-map-p: maps for it follow")],
    on: ["hvc"],
    applies: passes(LOAD, CHECKS),
    holds: (step) => loads(step, asked(step)),
  }),
  clause({
    id: "VM-36",
    kind: "kernel",
    statement: "Putting leaves the CPU without a vCPU, whether it had one or not.",
    source: [read("pkvm_put_hyp_vcpu"), cite("measured", "life-p: a second put shows nothing")],
    on: ["hvc"],
    applies: (step) => reachedHcall(step) === "__pkvm_vcpu_put",
    holds: (step) => loads(step, undefined),
  }),
  clause({
    id: "VM-37",
    kind: "kernel",
    statement: "Syncing the state of a vCPU answers nothing and moves no page.",
    source: [
      cite("android14-6.1", "handle___pkvm_vcpu_sync_state, hyp/nvhe/hyp-main.c"),
      cite("measured", "vmbad: x1 stays"),
    ],
    on: ["hvc"],
    applies: (step) => reachedHcall(step) === "__pkvm_vcpu_sync_state",
    holds: refusesSilently,
  }),
];
