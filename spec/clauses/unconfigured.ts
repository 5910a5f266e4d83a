// Hypercalls that the measured kernels have no use for: what they answer all the same.

import { clause, type StepClause } from "../clause.ts";
import { cite } from "../sources.ts";
import { SMCCC_RET_SUCCESS } from "../types/outcome.ts";
import { argument, calls, reachedHcall } from "./hypercall.ts";
import { all, answers, changesNothing, changesOnly, ensure, refuses } from "./phrases.ts";
import type { HvcStep } from "./vm-lookup.ts";

/** No tracing, no IOMMU driver in the configuration. */
const ABSENT: readonly string[] = [
  "__pkvm_iommu_pm_notify",
  "__pkvm_load_tracing",
  "__pkvm_enable_tracing",
  "__pkvm_rb_swap_reader_page",
  "__pkvm_rb_update_footers",
  "__pkvm_enable_event",
];

/** They return void and change what only EL2 or a guest sees. */
const VOID: readonly string[] = [
  "__kvm_timer_set_cntvoff",
  "__kvm_adjust_pc",
  "__kvm_enable_ssbs",
  "__vgic_v3_init_lrs",
  "__kvm_flush_vm_context",
  "__vgic_v3_save_vmcr_aprs",
  "__vgic_v3_restore_vmcr_aprs",
];

/** Those that take a driver or a device of it. */
const IOMMU: readonly string[] = ["__pkvm_iommu_driver_init", "__pkvm_iommu_register"];

const FINALIZE = calls("__pkvm_iommu_finalize");
const isGood = (step: HvcStep): boolean => BigInt.asUintN(32, argument(step, 1)) === 0n;

export const UNCONFIGURED: readonly StepClause[] = [
  clause({
    id: "VM-80",
    kind: "kernel",
    statement: "EL2 is told once about the IOMMU.",
    source: [cite("android14-6.1", "__pkvm_iommu_finalize, hyp/nvhe/iommu.c")],
    on: ["hvc"],
    applies: (step) => FINALIZE(step) && step.pre.boot.iommuClosed,
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "VM-81",
    kind: "kernel",
    statement: "The first time that EL2 is told the IOMMU is ready it says 0.",
    source: [
      cite("android14-6.1", "__pkvm_iommu_finalize, hyp/nvhe/iommu.c"),
      cite("measured", "vmbad: 0"),
    ],
    on: ["hvc"],
    applies: (step) => FINALIZE(step) && !step.pre.boot.iommuClosed && isGood(step),
    holds: (step) =>
      all(
        answers(step.outcome, 0),
        ensure(step.post.boot.iommuClosed, "it will be told again"),
        changesOnly(step, "boot.iommuClosed"),
      ),
  }),
  clause({
    id: "VM-82",
    kind: "kernel",
    statement: "What the kernel is built without answers -ENODEV to any argument.",
    source: [cite("measured", "vmbad: -19, both builds")],
    on: ["hvc"],
    applies: (step) => ABSENT.includes(reachedHcall(step) ?? ""),
    holds: (step) => refuses(step, "ENODEV"),
  }),
  clause({
    id: "VM-83",
    kind: "kernel",
    statement: "The end of tracing is 0 although there is none.",
    source: [cite("measured", "vmbad: 0")],
    on: ["hvc"],
    applies: calls("__pkvm_teardown_tracing"),
    holds: (step) => all(answers(step.outcome, 0), changesNothing(step)),
  }),
  clause({
    id: "VM-84",
    kind: "kernel",
    statement: "A hypercall that returns nothing leaves x1 as it was.",
    source: [cite("android14-6.1", "handle___kvm_*, hyp/nvhe/hyp-main.c: void")],
    on: ["hvc"],
    applies: (step) =>
      step.pre.config.branch === "android14-6.1" && VOID.includes(reachedHcall(step) ?? ""),
    holds: (step) =>
      all(
        ensure(
          step.outcome.kind === "hcall" &&
            step.outcome.x0 === SMCCC_RET_SUCCESS &&
            step.outcome.x1 === undefined,
          "x1 is not left as it was",
        ),
        changesNothing(step),
      ),
  }),
  clause({
    id: "VM-85",
    kind: "kernel",
    statement: "Once EL2 was told about the IOMMU it takes no driver and no device.",
    source: [
      cite("android14-6.1", "__pkvm_iommu_driver_init, __pkvm_iommu_register, hyp/nvhe/iommu.c"),
    ],
    on: ["hvc"],
    applies: (step) => IOMMU.includes(reachedHcall(step) ?? "") && step.pre.boot.iommuClosed,
    holds: (step) => refuses(step, "EPERM"),
  }),
  clause({
    id: "VM-86",
    kind: "kernel",
    statement: "A device of a driver that was not initialised is refused.",
    source: [cite("android14-6.1", "__pkvm_iommu_register, get_driver, hyp/nvhe/iommu.c")],
    on: ["hvc"],
    applies: (step) => calls("__pkvm_iommu_register")(step) && !step.pre.boot.iommuClosed,
    holds: (step) => refuses(step, "ENOENT"),
  }),
];
