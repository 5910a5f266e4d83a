// One step of the system: an action, its answer, the state after.

import { match } from "ts-pattern";
import type { Step } from "../spec/clause.ts";
import type { Action, Hvc, Op } from "../spec/types/action.ts";
import type { Hyp } from "../spec/types/hyp.ts";
import { dropHostPrivileges } from "./boot/drop-host-privileges.ts";
import {
  earlyModulesDone,
  firmwareClear,
  iommuFinalize,
  modprobeExit,
  requestEarlyModule,
} from "./boot/early-modules.ts";
import { kvmArmInit } from "./boot/kvm-arm-init.ts";
import { parseEarlyParam } from "./boot/parse-early-param.ts";
import { el2InitReturned, handlerReturned, hvc, reached } from "./dispatch/hvc.ts";
import { budgetSpent, el2Exception, hostOops, hostPanic } from "./dispatch/no-return.ts";
import { hostSmcCall } from "./dispatch/smc.ts";
import { el2ModuleLoaded, el2ModuleReserved, loadEl2Module } from "./module/load-el2-module.ts";
import { deleteModule, loadModule, moduleInitReturned } from "./module/load-module.ts";
import { OPS } from "./ops/ops.ts";
import { type Applied, type ApplyOptions, apply } from "./transition.ts";
import { kvmClose, kvmCreateVm, kvmRun, kvmSetFirmwareIpa } from "./vm/kvm.ts";

/** A step with the rule that made it: which transition, and which clause refused. */
export interface ModelStep extends Step {
  readonly transition: string;
  readonly refusedBy: string | undefined;
}

/**
 * The answer to something that the model does not know yet: the state stays, the run stops with its
 * name.
 */
const unmodelled = (hyp: Hyp, what: string): Applied => ({
  post: hyp,
  outcome: { kind: "unmodelled", what },
  refusedBy: undefined,
  transition: what,
});

/** An HVC: the dispatcher's guards, then the guards and the effect of the entry that it reaches. */
function stepHvc(pre: Hyp, action: Hvc, options: ApplyOptions): Applied {
  const dispatched = apply(hvc, pre, action, options);
  if (dispatched.outcome.kind !== "unmodelled" || dispatched.refusedBy !== undefined) {
    return dispatched;
  }
  const target = reached(pre, action);
  if (typeof target === "string") return dispatched;
  return apply(target.call, pre, target.args, options);
}

/** A module op: its transition, or a stop with its name. */
function stepOp(pre: Hyp, action: Op, options: ApplyOptions): Applied {
  const transition = OPS.get(action.op);
  return transition === undefined
    ? unmodelled(pre, `op ${action.op}`)
    : apply(transition, pre, action, options);
}

/** Applies one action. Nothing may follow the end of the system: that would be our mistake. */
export function step(pre: Hyp, action: Action, options: ApplyOptions = {}): ModelStep {
  if (pre.end !== undefined) throw new Error(`step: ${action.kind} after the system ended`);
  const applied = match(action)
    .with({ kind: "parse_early_param" }, (a) => apply(parseEarlyParam, pre, a, options))
    .with({ kind: "kvm_arm_init" }, (a) => apply(kvmArmInit, pre, a, options))
    .with({ kind: "pkvm_request_early_module" }, (a) => apply(requestEarlyModule, pre, a, options))
    .with({ kind: "modprobe_exit" }, (a) => apply(modprobeExit, pre, a, options))
    .with({ kind: "pkvm_load_early_modules" }, (a) => apply(earlyModulesDone, pre, a, options))
    .with({ kind: "pkvm_firmware_rmem_clear" }, (a) => apply(firmwareClear, pre, a, options))
    .with({ kind: "pkvm_drop_host_privileges" }, (a) => apply(dropHostPrivileges, pre, a, options))
    .with({ kind: "load_module" }, (a) => apply(loadModule, pre, a, options))
    .with({ kind: "module_init_returned" }, (a) => apply(moduleInitReturned, pre, a, options))
    .with({ kind: "__pkvm_load_el2_module" }, (a) => apply(loadEl2Module, pre, a, options))
    .with({ kind: "el2_module_reserved" }, (a) => apply(el2ModuleReserved, pre, a, options))
    .with({ kind: "el2_module_loaded" }, (a) => apply(el2ModuleLoaded, pre, a, options))
    .with({ kind: "delete_module" }, (a) => apply(deleteModule, pre, a, options))
    .with({ kind: "pkvm_iommu_finalize" }, (a) => apply(iommuFinalize, pre, a, options))
    .with({ kind: "hvc" }, (a) => stepHvc(pre, a, options))
    .with({ kind: "el2_init_returned" }, (a) => apply(el2InitReturned, pre, a, options))
    .with({ kind: "handler_returned" }, (a) => apply(handlerReturned, pre, a, options))
    .with({ kind: "op" }, (a) => stepOp(pre, a, options))
    .with({ kind: "el2_exception" }, (a) => apply(el2Exception, pre, a, options))
    .with({ kind: "host_oops" }, (a) => apply(hostOops, pre, a, options))
    .with({ kind: "host_panic" }, (a) => apply(hostPanic, pre, a, options))
    .with({ kind: "budget_spent" }, (a) => apply(budgetSpent, pre, a, options))
    .with({ kind: "smc" }, (a) => apply(hostSmcCall, pre, a, options))
    .with({ kind: "KVM_CREATE_VM" }, (a) => apply(kvmCreateVm, pre, a, options))
    .with({ kind: "KVM_SET_FW_IPA" }, (a) => apply(kvmSetFirmwareIpa, pre, a, options))
    .with({ kind: "KVM_RUN" }, (a) => apply(kvmRun, pre, a, options))
    .with({ kind: "KVM_CLOSE" }, (a) => apply(kvmClose, pre, a, options))
    .exhaustive();
  return { pre, action, ...applied };
}
