// The host gives its privileges up: the key, the CPUs one by one; and how a system ends.

import { branchOf } from "../branches/branches.ts";
import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { calls } from "./hypercall.ts";
import {
  all,
  answers,
  changesOnly,
  EVERY_ACTION,
  ensure,
  panics,
  refuses,
  spell,
  succeeded,
} from "./phrases.ts";

const finalises = calls("__pkvm_prot_finalize");

export const DEPRIVILEGE: readonly StepClause[] = [
  clause({
    id: "LIFE-13",
    kind: "kernel",
    statement: "Dropping privileges sets the key first, while every CPU is as it was.",
    source: [
      cite("android14-6.1", "pkvm_drop_host_privileges, arch/arm64/kvm/pkvm.c: step (a)"),
      cite("android17-6.18", "pkvm_drop_host_privileges: static_branch_enable_cpuslocked first"),
    ],
    on: ["pkvm_drop_host_privileges"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: (step) =>
      all(
        ensure(step.post.boot.key, "the key is clear after privileges were dropped"),
        changesOnly(step, "boot.key"),
      ),
  }),
  clause({
    id: "LIFE-14",
    kind: "kernel",
    statement: "The key is never cleared.",
    source: [cite("android14-6.1", "kvm_protected_mode_initialized: only ever enabled")],
    on: EVERY_ACTION,
    applies: ({ pre }) => pre.boot.key,
    holds: ({ post }) => ensure(post.boot.key, "the key was cleared"),
  }),
  clause({
    id: "LIFE-15",
    kind: "kernel",
    statement: "Only dropping privileges sets the key.",
    source: [cite("android14-6.1", "pkvm_drop_host_privileges, arch/arm64/kvm/pkvm.c")],
    on: EVERY_ACTION,
    applies: ({ pre, action }) => !pre.boot.key && action.kind !== "pkvm_drop_host_privileges",
    holds: ({ post }) => ensure(!post.boot.key, "the key was set by something else"),
  }),
  clause({
    id: "LIFE-16",
    kind: "kernel",
    statement:
      "If a module failed to load, or none isolated DMA, privileges are dropped without firmware.",
    source: [
      cite("android14-6.1", "finalize_pkvm, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-missing-after-iommufin, fw-modok: wiped; fw-modok-iommufin: kept"),
    ],
    on: ["pkvm_drop_host_privileges"],
    applies: ({ pre, outcome }) => {
      const { dmaIsolatedBy } = branchOf(pre.config);
      const isolated = dmaIsolatedBy !== "pkvm_iommu_finalize" || pre.boot.iommuFinalised;
      return succeeded(outcome) && (pre.boot.loadFailure !== undefined || !isolated);
    },
    holds: ({ pre }) => ensure(pre.firmware.content === "zero", "the firmware is still there"),
  }),
  clause({
    id: "LIFE-17",
    kind: "kernel",
    statement:
      "The first __pkvm_prot_finalize of a CPU puts the host behind stage 2 on that CPU alone.",
    source: [cite("android14-6.1", "__pkvm_prot_finalize, hyp/nvhe/mem_protect.c")],
    on: ["hvc"],
    applies: (step) =>
      finalises(step) &&
      step.pre.boot.finalised[step.action.cpu] === false &&
      step.pre.el2.earlyBytes === 0,
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(
          step.post.boot.finalised.every(
            (now, cpu) => now === (cpu === step.action.cpu || step.pre.boot.finalised[cpu]),
          ),
          `finalised is ${step.post.boot.finalised} after CPU ${step.action.cpu} asked for it`,
        ),
        changesOnly(step, "boot.finalised"),
      ),
  }),
  clause({
    id: "LIFE-18",
    kind: "kernel",
    statement: "A second __pkvm_prot_finalize of a CPU is refused with the errno of its branch.",
    source: [
      cite("android14-6.1", "__pkvm_prot_finalize, hyp/nvhe/mem_protect.c"),
      cite("android17-6.18", "__pkvm_prot_finalize, hyp/nvhe/mem_protect.c"),
      cite("measured", "base: x0 = 0, x1 = -1 on each CPU after boot"),
    ],
    on: ["hvc"],
    applies: (step) => finalises(step) && step.pre.boot.finalised[step.action.cpu] === true,
    holds: (step) => refuses(step, branchOf(step.pre.config).finaliseTwice),
  }),
  clause({
    id: "LIFE-19",
    kind: "kernel",
    statement: "A CPU is finalised by its own call only, and stays so.",
    source: [
      cite("android14-6.1", "_kvm_host_prot_finalize, arch/arm64/kvm/pkvm.c: on_each_cpu"),
      cite("android14-6.1", "__pkvm_prot_finalize: params->hcr_el2 of the calling CPU"),
    ],
    on: EVERY_ACTION,
    applies: () => true,
    holds: ({ pre, action, post }) => {
      const caller = action.kind === "hvc" ? action.cpu : undefined;
      const wrong = pre.boot.finalised.findIndex((was, cpu) => {
        const now = post.boot.finalised[cpu];
        return cpu === caller ? was && !now : was !== now;
      });
      return ensure(wrong < 0, `CPU ${wrong} changed without having called`);
    },
  }),
  clause({
    id: "LIFE-28",
    kind: "kernel",
    statement: "The system ends with a panic, a hang or switched off, and says which.",
    source: [
      cite("android14-6.1", "hyp_panic, hyp/nvhe/switch.c; nvhe_hyp_panic_handler"),
      cite("measured", "mod-regbadk, textonly-fail: Kernel panic - not syncing: HYP panic"),
    ],
    on: EVERY_ACTION,
    applies: ({ outcome, post }) =>
      post.end !== undefined || ["hyp-panic", "host-panic", "hang"].includes(outcome.kind),
    holds: ({ outcome, post }) => {
      const reason = "reason" in outcome ? outcome.reason : undefined;
      const ended = post.end !== undefined && "reason" in post.end ? post.end.reason : undefined;
      return ensure(
        post.end?.kind === outcome.kind && ended === reason,
        `the outcome is ${outcome.kind} ${reason ?? ""}, the end ${post.end?.kind} ${ended ?? ""}`,
      );
    },
  }),
  clause({
    id: "LIFE-30",
    kind: "kernel",
    statement: "Privileges are dropped after the early modules, never before or between them.",
    source: [cite("android14-6.1", "finalize_pkvm, arch/arm64/kvm/pkvm.c: device_initcall_sync")],
    on: ["pkvm_drop_host_privileges"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: ({ pre }) =>
      all(
        ensure(pre.boot.earlyModulesDone, "the early modules are not done"),
        ensure(pre.boot.requested === undefined, `"${pre.boot.requested}" is still being loaded`),
      ),
  }),
  clause({
    id: "LIFE-31",
    kind: "kernel",
    statement: "Only a system with pKVM at EL2 drops privileges.",
    source: [
      cite("android14-6.1", "finalize_pkvm, arch/arm64/kvm/pkvm.c"),
      cite("measured", "mod-notprotected: no module is requested, hypercalls find the stub"),
    ],
    on: ["pkvm_drop_host_privileges"],
    applies: ({ outcome }) => succeeded(outcome),
    holds: ({ pre }) => ensure(pre.boot.hypUp, "there is no pKVM at EL2"),
  }),
  clause({
    id: "LIFE-34",
    kind: "kernel",
    statement: "A CPU that is finalised while the linear map has early mappings stops the system.",
    source: [
      cite("android14-6.1", "__pkvm_close_module_registration, hyp/nvhe/modules.c: WARN_ON_ONCE"),
    ],
    on: ["hvc"],
    applies: (step) =>
      finalises(step) &&
      step.pre.boot.finalised[step.action.cpu] === false &&
      branchOf(step.pre.config).closingCheck === "__pkvm_prot_finalize" &&
      step.pre.el2.earlyBytes !== 0,
    holds: ({ outcome }) => panics(outcome, "EARLY_MAPPING_LEFT"),
  }),
  clause({
    id: "LIFE-33",
    kind: "kernel",
    statement:
      "What the host's own kernel cannot survive stops the system and changes nothing else.",
    source: [
      cite("linux", "die, arch/arm64/kernel/traps.c; panic, kernel/panic.c; panic_on_oops"),
      cite("android14-6.1", "is_pkvm_stage2_abort, arch/arm64/mm/fault.c"),
    ],
    on: ["host_oops", "host_panic"],
    applies: () => true,
    holds: (step) => {
      const reason = step.action.kind === "host_oops" ? "HOST_OOPS" : "HOST_PANIC";
      return all(
        ensure(
          step.outcome.kind === "host-panic" && step.outcome.reason === reason,
          `the host goes on: ${spell(step.outcome)}`,
        ),
        changesOnly(step, "end"),
      );
    },
  }),
  clause({
    id: "LIFE-51",
    kind: "kernel",
    statement: "On 6.18 the call before the key stops the system if an early mapping is left.",
    source: [cite("android17-6.18", "__pkvm_late_cpus_finalize, hyp/nvhe/mem_protect.c")],
    branches: ["android17-6.18"],
    on: ["hvc"],
    applies: (step) => calls("__pkvm_late_cpus_finalize")(step) && step.pre.el2.earlyBytes !== 0,
    holds: ({ outcome }) => panics(outcome, "EARLY_MAPPING_LEFT"),
  }),
];
