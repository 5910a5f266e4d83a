// Every transition of the model in one list, so that tables and tests can walk them and their guards.

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
import { el2InitReturned, handlerReturned, hvc } from "./dispatch/hvc.ts";
import { HYPERCALLS } from "./dispatch/hypercalls.ts";
import { budgetSpent, el2Exception, hostOops } from "./dispatch/no-return.ts";
import { el2ModuleLoaded, el2ModuleReserved, loadEl2Module } from "./module/load-el2-module.ts";
import { deleteModule, loadModule, moduleInitReturned } from "./module/load-module.ts";
import { OPS } from "./ops/ops.ts";
import type { Transition } from "./transition.ts";
import { kvmClose, kvmCreateVm, kvmRun, kvmSetFirmwareIpa } from "./vm/kvm.ts";

/** What can be said of a transition without knowing its action. */
export type AnyTransition = Pick<Transition<never>, "name" | "source"> & {
  readonly guards: readonly { readonly clause: Transition<never>["guards"][number]["clause"] }[];
};

/** All of them, in the order of a boot. */
export const TRANSITIONS: readonly AnyTransition[] = [
  parseEarlyParam,
  kvmArmInit,
  requestEarlyModule,
  modprobeExit,
  loadModule,
  loadEl2Module,
  el2ModuleReserved,
  el2ModuleLoaded,
  moduleInitReturned,
  iommuFinalize,
  earlyModulesDone,
  firmwareClear,
  dropHostPrivileges,
  deleteModule,
  hvc,
  el2InitReturned,
  handlerReturned,
  el2Exception,
  hostOops,
  budgetSpent,
  ...HYPERCALLS.values(),
  ...OPS.values(),
  kvmCreateVm,
  kvmSetFirmwareIpa,
  kvmRun,
  kvmClose,
];
