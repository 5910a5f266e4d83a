// What EL2 hands to modules beside SMCs, and what modules change of a CPU's own registers.

import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import {
  all,
  answers,
  changesNothing,
  changesOnly,
  ensure,
  equal,
  panics,
  spell,
} from "./phrases.ts";

const TRAP = cite("android14-6.1", "handle_trap: default_trap_handler, hyp/nvhe/hyp-main.c");
const MODULES = "hyp/nvhe/modules.c";

/** HCR_EL2.VM, which stands apart as `finalised`. */
const VM = 1n;

/** Ops that print, move bytes or map for a moment: who owns what stays as it is. */
const QUIET: readonly string[] = [
  "puts",
  "putx64",
  "memcpy",
  "memset",
  "flush_dcache_to_poc",
  "fixmap_map",
  "fixmap_unmap",
  "hyp_pa",
  "hyp_va",
  "kern_hyp_va",
];

export const TRAPS: readonly StepClause[] = [
  clause({
    id: "DISP-51",
    kind: "kernel",
    statement: "A trap of the host that nobody knows stops the system.",
    source: [TRAP],
    on: ["host_trap"],
    applies: ({ pre }) => pre.dispatch.callbacks.default_trap_handler === undefined,
    holds: ({ outcome }) => panics(outcome, "UNKNOWN_HOST_TRAP"),
  }),
  clause({
    id: "DISP-52",
    kind: "kernel",
    statement: "A trap of the host that nobody else knows goes to the module's handler.",
    source: [TRAP],
    on: ["host_trap"],
    applies: ({ pre }) => pre.dispatch.callbacks.default_trap_handler !== undefined,
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "enters" &&
            step.outcome.address === step.pre.dispatch.callbacks.default_trap_handler,
          `the handler is not called: ${spell(step.outcome)}`,
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "DISP-53",
    kind: "kernel",
    statement: "A trap that the module's handler does not take stops the system.",
    source: [TRAP],
    on: ["default_trap_handler_returned"],
    applies: ({ action }) => !action.handled,
    holds: ({ outcome }) => panics(outcome, "UNKNOWN_HOST_TRAP"),
  }),
  clause({
    id: "DISP-54",
    kind: "kernel",
    statement: "A trap that the module's handler takes is over, and the host goes on.",
    source: [TRAP],
    on: ["default_trap_handler_returned"],
    applies: ({ action }) => action.handled,
    holds: (step) => all(answers(step.outcome, 1), changesNothing(step)),
  }),
];

export const REGISTERS: readonly StepClause[] = [
  clause({
    id: "ABI-21",
    kind: "kernel",
    statement: "A module changes HCR_EL2 of the CPU it runs on, and clears after it sets.",
    source: [cite("android14-6.1", `__update_hcr_el2: this_cpu_ptr, ${MODULES}`)],
    on: ["op"],
    applies: ({ action, outcome }) => action.op === "update_hcr_el2" && outcome.kind === "returned",
    holds: (step) => {
      const { cpu, args } = step.action;
      const [set = 0n, clear = 0n] = args;
      const [before, after] = [step.pre.controls[cpu], step.post.controls[cpu]];
      // A value that had no bit, and one that had all: every bit that is kept is seen in one.
      const expected = [0n, ~VM].map((base) => {
        const was = (base | (before?.hcrSet ?? 0n)) & ~(before?.hcrClear ?? 0n);
        return (was | set) & ~clear & ~VM;
      });
      const now = [0n, ~VM].map(
        (base) => (base | (after?.hcrSet ?? 0n)) & ~(after?.hcrClear ?? 0n),
      );
      const isOn = step.pre.boot.finalised[cpu] === true && (clear & VM) === 0n;
      return all(
        ensure(equal(now, expected), "HCR_EL2 is not what it becomes"),
        ensure(step.post.boot.finalised[cpu] === isOn, "stage 2 is not on as it should be"),
        ensure(
          equal(step.post.controls.toSpliced(cpu, 1), step.pre.controls.toSpliced(cpu, 1)),
          "another CPU changed",
        ),
        changesOnly(step, "controls", "boot.finalised"),
      );
    },
  }),
  clause({
    id: "ABI-22",
    kind: "kernel",
    statement: "A module changes HFGWTR_EL2 of the CPU it runs on, and clears after it sets.",
    source: [cite("android14-6.1", `__update_hfgwtr_el2: this_cpu_ptr, ${MODULES}`)],
    on: ["op"],
    applies: ({ action }) => action.op === "update_hfgwtr_el2",
    holds: (step) => {
      const { cpu, args } = step.action;
      const [set = 0n, clear = 0n] = args;
      const before = step.pre.controls[cpu];
      const hfgwtr = ((before?.hfgwtr ?? 0n) | set) & ~clear;
      return all(
        ensure(
          equal(step.post.controls, step.pre.controls.with(cpu, { ...before, hfgwtr } as never)),
          "HFGWTR_EL2 is not what it becomes",
        ),
        changesOnly(step, "controls"),
      );
    },
  }),
  clause({
    id: "ABI-23",
    kind: "kernel",
    statement: "An op that prints, converts or moves bytes changes nobody's ownership.",
    source: [cite("android14-6.1", `struct pkvm_module_ops module_ops, ${MODULES}`)],
    on: ["op"],
    applies: ({ action }) => QUIET.includes(action.op),
    holds: (step) =>
      all(ensure(step.outcome.kind === "returned", spell(step.outcome)), changesNothing(step)),
  }),
];
