// The early modules: one request of modprobe a name, the first failure ends the list, and the
// firmware pays for it.

import { branchOf } from "../../spec/branches/branches.ts";
import { cite } from "../../spec/sources.ts";
import type {
  EarlyModulesDone,
  FirmwareClear,
  IommuFinalize,
  ModprobeExit,
  RequestEarlyModule,
} from "../../spec/types/action.ts";
import { negative } from "../../spec/types/errno.ts";
import { returned } from "../../spec/types/outcome.ts";
import type { Transition } from "../transition.ts";

/** The kernel is about to start modprobe for one name. */
export const requestEarlyModule: Transition<RequestEarlyModule> = {
  name: "pkvm_request_early_module",
  source: [cite("android14-6.1", "pkvm_request_early_module, arch/arm64/kvm/pkvm.c")],
  guards: [
    {
      clause: "LOAD-1",
      permits: (hyp) => hyp.boot.mode === "protected",
      refusal: () => returned(negative("EACCES")),
    },
    {
      clause: "LOAD-2",
      permits: (hyp) => !hyp.boot.key,
      refusal: () => returned(negative("EACCES")),
    },
  ],
  effect: (hyp, { name }) => {
    hyp.boot.requested = name;
    hyp.boot.requestedNames.push(name);
    return returned(0);
  },
};

/** modprobe ended: any status but 0 is a failed load, and the first one is remembered. */
export const modprobeExit: Transition<ModprobeExit> = {
  name: "modprobe_exit",
  source: [cite("android14-6.1", "pkvm_load_early_modules, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp, { name, status }) => {
    hyp.boot.requested = undefined;
    if (status !== 0 && hyp.boot.loadFailure === undefined) {
      hyp.boot.loadFailure = { name, status };
    }
    return returned(status);
  },
};

/** The list is done: 0, or the status of the name that ended it. */
export const earlyModulesDone: Transition<EarlyModulesDone> = {
  name: "pkvm_load_early_modules",
  source: [cite("android14-6.1", "pkvm_load_early_modules, finalize_pkvm, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp) => {
    hyp.boot.earlyModulesDone = true;
    return returned(hyp.boot.loadFailure?.status ?? 0);
  },
};

/**
 * The firmware is overwritten, and on most branches forgotten. Without a region nothing happens.
 */
export const firmwareClear: Transition<FirmwareClear> = {
  name: "pkvm_firmware_rmem_clear",
  source: [cite("android14-6.1", "pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c")],
  guards: [],
  effect: (hyp) => {
    hyp.firmware.content = "zero";
    if (!branchOf(hyp.config).clearedFirmwareStillAdvertised) hyp.firmware.advertisedBytes = 0;
    return returned(0);
  },
};

/** A module tells the kernel whether DMA is isolated; only a 0 counts. */
export const iommuFinalize: Transition<IommuFinalize> = {
  name: "pkvm_iommu_finalize",
  source: [cite("measured", "fw-modok-iommufin, fw-modok: only (0) keeps the firmware")],
  guards: [],
  effect: (hyp, { value }) => {
    if (value === 0) hyp.boot.iommuFinalised = true;
    hyp.boot.iommuClosed = true;
    return returned(0);
  },
};
