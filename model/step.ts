// One step of the system: an action, its answer, the state after.

import { vmsOf } from "../spec/branches/branches.ts";
import type { Step } from "../spec/clause.ts";
import type { Action, ActionKind, ActionOf, Hvc, Op, Smc } from "../spec/types/action.ts";
import type { GuestHvc } from "../spec/types/guest-action.ts";
import type { Hyp } from "../spec/types/hyp.ts";
import type { VcpuExit } from "../spec/types/hyp-vm.ts";
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
import { callRepeated, el2Access, opFailed, secretsVaried } from "./dispatch/el2-access.ts";
import { hostTrap, trapHandlerReturned } from "./dispatch/host-trap.ts";
import { el2InitReturned, handlerReturned, hvc, reached } from "./dispatch/hvc.ts";
import { budgetSpent, el2Exception, hostOops, hostPanic } from "./dispatch/no-return.ts";
import { guestAbort } from "./guest/abort.ts";
import { exitOf, guestCallOf } from "./guest/calls.ts";
import {
  el2ModuleLoaded,
  el2ModuleReserved,
  loadEl2Module,
  relocImportedSymbols,
} from "./module/load-el2-module.ts";
import { deleteModule, loadModule, moduleInitReturned } from "./module/load-module.ts";
import { opOf } from "./ops/ops.ts";
import {
  hostInjectAbort,
  hostPermFault,
  illegalAbort,
  permFaultHandlerReturned,
} from "./ownership/host-faults.ts";
import { hostMemAbort } from "./ownership/host-mem-abort.ts";
import { hostSmc, smcHandlerReturned, smcTarget } from "./smc/host-smc.ts";
import { psciCpuEntry, psciNotified } from "./smc/psci-relay.ts";
import { type Applied, type ApplyOptions, apply, type Transition } from "./transition.ts";
import { hostReclaimPage, memAbort } from "./vm/guest-pages.ts";
import { guestBudgetSpent, kvmPsciCall, kvmSmcccCall } from "./vm/host-calls.ts";
import {
  createHypVm,
  kvmCheckExtension,
  kvmClose,
  kvmCreateVm,
  kvmRun,
  kvmSetFirmwareIpa,
} from "./vm/kvm.ts";
import { loadedOn } from "./vm/loaded.ts";
import {
  kvmArmVcpuInit,
  kvmCreateVcpu,
  kvmSetOneReg,
  kvmSetUserMemoryRegion,
} from "./vm/vcpu-ioctls.ts";

/** A step with the rule that made it: which transition, and which clause refused. */
export interface ModelStep extends Step {
  readonly transition: string;
  readonly refusedBy: string | undefined;
  /** Transitions of the same call whose effects came before. */
  readonly through?: readonly string[];
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
  const transition = opOf(pre, action.op);
  return transition === undefined
    ? unmodelled(pre, `op ${action.op} on ${pre.config.branch}`)
    : apply(transition, pre, action, options);
}

/** An SMC: the first checks, then whoever answers it. */
function stepSmc(pre: Hyp, action: Smc, options: ApplyOptions): Applied {
  const target = smcTarget(pre, action);
  const checked = apply(hostSmc, pre, action, options);
  return target === hostSmc || checked.refusedBy !== undefined
    ? checked
    : apply(target, pre, action, options);
}

/** A call of a guest: its transition, and for one that goes to the host, what EL2 remembers. */
function stepGuestHvc(pre: Hyp, action: GuestHvc, options: ApplyOptions): Applied {
  const loaded = loadedOn(pre, action.cpu);
  if (loaded === undefined) return unmodelled(pre, "an HVC of a guest that is not loaded");
  const applied = apply(guestCallOf(pre, action), pre, action, options);
  const { outcome } = applied;
  const kept = loaded.vm.isProtected && vmsOf(pre.config).keepsRegisters;
  if (outcome.kind !== "exits" || !kept) return applied;
  const exit = exitOf(outcome, action.x);
  return { ...applied, post: withExit(applied.post, loaded.handle, loaded.index, exit) };
}

/** The state with the exit of one vCPU remembered. */
function withExit(hyp: Hyp, handle: number, index: number, exit: VcpuExit): Hyp {
  const vm = hyp.vmTable.get(handle);
  if (vm === undefined) return hyp;
  const vcpus = vm.vcpus.map((vcpu, n) => (n === index ? { ...vcpu, exit } : vcpu));
  return { ...hyp, vmTable: new Map(hyp.vmTable).set(handle, { ...vm, vcpus }) };
}

/** The transition of each kind of action that has one of its own. */
const TRANSITION_OF: {
  readonly [K in Exclude<ActionKind, "hvc" | "op" | "smc" | "guest_hvc">]: Transition<ActionOf<K>>;
} = {
  parse_early_param: parseEarlyParam,
  kvm_arm_init: kvmArmInit,
  pkvm_request_early_module: requestEarlyModule,
  modprobe_exit: modprobeExit,
  pkvm_load_early_modules: earlyModulesDone,
  pkvm_firmware_rmem_clear: firmwareClear,
  pkvm_drop_host_privileges: dropHostPrivileges,
  load_module: loadModule,
  module_init_returned: moduleInitReturned,
  __pkvm_load_el2_module: loadEl2Module,
  el2_module_reserved: el2ModuleReserved,
  pkvm_reloc_imported_symbols: relocImportedSymbols,
  el2_module_loaded: el2ModuleLoaded,
  delete_module: deleteModule,
  pkvm_iommu_finalize: iommuFinalize,
  el2_init_returned: el2InitReturned,
  handler_returned: handlerReturned,
  el2_access: el2Access,
  call_repeated: callRepeated,
  secrets_varied: secretsVaried,
  op_failed: opFailed,
  el2_exception: el2Exception,
  host_oops: hostOops,
  host_panic: hostPanic,
  budget_spent: budgetSpent,
  host_mem_abort: hostMemAbort,
  host_smc_handler_returned: smcHandlerReturned,
  psci_notified: psciNotified,
  psci_cpu_entry: psciCpuEntry,
  host_perm_fault: hostPermFault,
  host_perm_fault_handler_returned: permFaultHandlerReturned,
  illegal_abort: illegalAbort,
  host_inject_abort: hostInjectAbort,
  host_trap: hostTrap,
  default_trap_handler_returned: trapHandlerReturned,
  KVM_CHECK_EXTENSION: kvmCheckExtension,
  KVM_CREATE_VM: kvmCreateVm,
  KVM_SET_FW_IPA: kvmSetFirmwareIpa,
  KVM_CREATE_VCPU: kvmCreateVcpu,
  KVM_ARM_VCPU_INIT: kvmArmVcpuInit,
  KVM_SET_USER_MEMORY_REGION: kvmSetUserMemoryRegion,
  KVM_SET_ONE_REG: kvmSetOneReg,
  KVM_RUN: kvmRun,
  pkvm_create_hyp_vm: createHypVm,
  pkvm_mem_abort: memAbort,
  pkvm_host_reclaim_page: hostReclaimPage,
  kvm_psci_call: kvmPsciCall,
  kvm_smccc_call_handler: kvmSmcccCall,
  KVM_CLOSE: kvmClose,
  guest_abort: guestAbort,
  guest_budget_spent: guestBudgetSpent,
};

function applyAction(pre: Hyp, action: Action, options: ApplyOptions): Applied {
  switch (action.kind) {
    case "hvc":
      return stepHvc(pre, action, options);
    case "op":
      return stepOp(pre, action, options);
    case "smc":
      return stepSmc(pre, action, options);
    case "guest_hvc":
      return stepGuestHvc(pre, action, options);
    default:
      return apply(TRANSITION_OF[action.kind] as Transition<Action>, pre, action, options);
  }
}

/** Applies one action. Nothing may follow the end of the system: that would be our mistake. */
export function step(pre: Hyp, action: Action, options: ApplyOptions = {}): ModelStep {
  if (pre.end !== undefined) throw new Error(`step: ${action.kind} after the system ended`);
  return { pre, action, ...applyAction(pre, action, options) };
}
