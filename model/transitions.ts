// Every transition of the model in one list: guards are counted, cited and removed from here.

import type { ClauseId } from "../spec/clause.ts";
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
import { el2InitReturned, handlerReturned, hvc } from "./dispatch/hvc.ts";
import { HYPERCALLS } from "./dispatch/hypercalls.ts";
import { budgetSpent, el2Exception, hostOops, hostPanic } from "./dispatch/no-return.ts";
import { guestAbort } from "./guest/abort.ts";
import { GUEST_CALLS } from "./guest/calls.ts";
import {
  el2ModuleLoaded,
  el2ModuleReserved,
  loadEl2Module,
  relocImportedSymbols,
} from "./module/load-el2-module.ts";
import { deleteModule, loadModule, moduleInitReturned } from "./module/load-module.ts";
import { nullOp, OPS } from "./ops/ops.ts";
import {
  hostInjectAbort,
  hostPermFault,
  illegalAbort,
  permFaultHandlerReturned,
} from "./ownership/host-faults.ts";
import { hostMemAbort } from "./ownership/host-mem-abort.ts";
import { SMC_TRANSITIONS } from "./smc/host-smc.ts";
import type { GuardKey, Transition } from "./transition.ts";
import { donatePage } from "./vm/donate-guest.ts";
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
import { MAP_ENDS } from "./vm/map-guest.ts";
import {
  kvmArmVcpuInit,
  kvmCreateVcpu,
  kvmSetOneReg,
  kvmSetUserMemoryRegion,
} from "./vm/vcpu-ioctls.ts";

/** In the order of a boot: the kernel, the loader, the dispatcher, the hypercalls, the ops, KVM. */
export const TRANSITIONS: readonly Transition<never>[] = [
  parseEarlyParam,
  kvmArmInit,
  requestEarlyModule,
  modprobeExit,
  earlyModulesDone,
  firmwareClear,
  iommuFinalize,
  dropHostPrivileges,
  loadModule,
  moduleInitReturned,
  loadEl2Module,
  el2ModuleReserved,
  relocImportedSymbols,
  el2ModuleLoaded,
  deleteModule,
  hvc,
  el2InitReturned,
  handlerReturned,
  hostMemAbort,
  hostPermFault,
  permFaultHandlerReturned,
  illegalAbort,
  hostInjectAbort,
  ...SMC_TRANSITIONS,
  hostTrap,
  trapHandlerReturned,
  el2Access,
  callRepeated,
  secretsVaried,
  opFailed,
  el2Exception,
  hostOops,
  hostPanic,
  budgetSpent,
  ...HYPERCALLS,
  ...MAP_ENDS,
  donatePage,
  ...OPS.values(),
  nullOp,
  kvmCheckExtension,
  kvmCreateVm,
  kvmSetFirmwareIpa,
  kvmCreateVcpu,
  kvmArmVcpuInit,
  kvmSetUserMemoryRegion,
  kvmSetOneReg,
  kvmRun,
  createHypVm,
  memAbort,
  hostReclaimPage,
  kvmPsciCall,
  kvmSmcccCall,
  kvmClose,
  ...GUEST_CALLS,
  guestAbort,
  guestBudgetSpent,
];

/** One guard by its transition and its clause. */
export interface GuardEntry {
  readonly key: GuardKey;
  readonly transition: string;
  readonly clause: ClauseId;
}

/** Every guard of every transition, in order. */
export const GUARDS: readonly GuardEntry[] = TRANSITIONS.flatMap(({ name, guards }) =>
  guards.map(({ clause }) => ({ key: `${name}/${clause}` as const, transition: name, clause })),
);
