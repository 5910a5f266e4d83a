// The boot from the command line to user space, in the kernel's order.

import { branchOf } from "../../spec/branches/branches.ts";
import type { FirmwareClear } from "../../spec/types/action.ts";
import { ERRNO, negative } from "../../spec/types/errno.ts";
import { over, perform, returnedValue, type System } from "../machine/system.ts";
import { loadedModule } from "../module/load-module.ts";
import { finitModule } from "./finit-module.ts";
import { hypercall, injected } from "./hypercall.ts";
import { MODPROBES, type ModprobeHost } from "./modprobe.ts";

/** The CPU that runs initcalls. */
const BOOT_CPU = 0;

/** Boots; afterwards user space runs, or the system has ended, or the run was stopped. */
export function boot(system: System): void {
  perform(system, { kind: "parse_early_param", commandLine: system.plan.commandLine });
  perform(system, { kind: "kvm_arm_init" });
  finalizePkvm(system);
  if (!over(system)) system.log.push({ kind: "userspace" });
}

/** Source: finalize_pkvm, arch/arm64/kvm/pkvm.c (android14-6.1), a device_initcall_sync. */
function finalizePkvm(system: System): void {
  if (system.hyp.boot.mode !== "protected") {
    clearFirmware(system, "not protected");
    return;
  }
  // 1. The early modules; a failure costs the firmware.
  const status = loadEarlyModules(system);
  if (status === undefined) return;
  if (status !== 0) clearFirmware(system, "early module failed");
  // 2. Without DMA isolation the firmware goes as well.
  if (!isolatesDma(system)) clearFirmware(system, "IOMMU not finalised");
  // 3. What later branches ask of EL2 while it still takes such calls.
  if (!preparesDrop(system)) return;
  // 4. The host gives up its privileges: the key, then every CPU.
  const dropped = dropHostPrivileges(system);
  if (dropped === undefined || dropped === 0) return;
  dropFailed(system, dropped);
}

/**
 * Whether somebody has said that DMA is isolated.
 * CHOICE: where a driver must have registered with KVM, none has, as no module of ours can;
 * kvm_iommu_init_driver without one is -ENODEV.
 */
const isolatesDma = ({ hyp }: System): boolean =>
  branchOf(hyp.config).dmaIsolatedBy === "none" || hyp.boot.iommuFinalised;

/** Devices from 6.12 on, late CPUs on 6.18; false when the system ended in one. */
function preparesDrop(system: System): boolean {
  const { hcalls } = branchOf(system.hyp.config);
  for (const name of ["__pkvm_devices_init", "__pkvm_late_cpus_finalize"]) {
    if (hcalls.includes(name) && hypercall(system, BOOT_CPU, name, []) === undefined) return false;
  }
  return true;
}

/** A CPU was not finalised. Source: finalize_pkvm, arch/arm64/kvm/pkvm.c of each branch. */
function dropFailed(system: System, errno: number): void {
  const say = (text: string): void => {
    system.log.push({ kind: "console", text: `${text}: ${errno}` });
  };
  switch (branchOf(system.hyp.config).dropFailure) {
    case "clear firmware":
      say("Failed to de-privilege the host kernel");
      clearFirmware(system, "drop failed");
      return;
    case "log":
      say("Failed to finalize Hyp protection");
      return;
    case "BUG":
      perform(system, { kind: "host_panic", cpu: BOOT_CPU, why: "BUG in finalize_pkvm" });
      return;
  }
}

/** pkvm_firmware_rmem_clear does nothing where the device tree has no firmware. */
function clearFirmware(system: System, because: FirmwareClear["because"]): void {
  if (system.hyp.firmware.regionBytes === 0) return;
  perform(system, { kind: "pkvm_firmware_rmem_clear", because });
}

/**
 * Walks the list: empty names are skipped, the first failure ends it. Undefined when the system
 * ended.
 */
function loadEarlyModules(system: System): number | undefined {
  for (const name of system.hyp.boot.protectedModules.split(",")) {
    if (name === "") continue;
    const status = requestEarlyModule(system, name);
    if (status === undefined) return undefined;
    if (status !== 0) break;
  }
  return returnedValue(perform(system, { kind: "pkvm_load_early_modules" }));
}

/** One name: with the configured path first, if there is one, and without it after that. */
function requestEarlyModule(system: System, name: string): number | undefined {
  const refused = returnedValue(perform(system, { kind: "pkvm_request_early_module", name }));
  if (refused !== 0) return refused;
  const paths = system.plan.modulePath === "" ? [""] : [system.plan.modulePath, ""];
  let status = 0;
  for (const path of paths) {
    const result = callModprobe(system, name, path);
    if (result === undefined) return undefined;
    status = result;
    if (status === 0) break;
  }
  perform(system, { kind: "modprobe_exit", name, status });
  return status;
}

/** Starts modprobe and waits for it: 256 times its exit code, or the errno of starting it. */
function callModprobe(system: System, name: string, path: string): number | undefined {
  const argv = ["-q", ...(path === "" ? [] : ["-d", path]), "--", name];
  const fault = injected(system, "call_usermodehelper_exec");
  if (fault !== undefined) return -ERRNO[fault.errno];
  system.log.push({ kind: "modprobe", argv });
  const code = MODPROBES[system.plan.modprobe]([name], modprobeHost(system, path));
  if (code === undefined || over(system)) return undefined;
  return code * 256;
}

/**
 * What modprobe sees of the system. CHOICE: a path given with -d holds nothing; the modules are in
 * the default one.
 */
export function modprobeHost(system: System, path: string): ModprobeHost {
  return {
    initramfs: path === "" ? system.plan.initramfs : [],
    commandLine: system.plan.commandLine,
    loaded: (name) => loadedModule(system.hyp, name) !== undefined,
    finitModule: (module, parameters) => finitModule(system, BOOT_CPU, module, parameters),
    exited: (name, parameters, status) =>
      system.log.push({ kind: "modprobe-exit", name, parameters, status }),
  };
}

/** Flips the key, then finalises every CPU; a CPU that is refused makes the whole -EINVAL. */
function dropHostPrivileges(system: System): number | undefined {
  perform(system, { kind: "pkvm_drop_host_privileges" });
  let result = 0;
  for (let cpu = 0; cpu < system.hyp.config.cpuCount; cpu += 1) {
    const answer = hypercall(system, cpu, "__pkvm_prot_finalize", []);
    if (answer === undefined) return undefined;
    if (answer.x1 !== 0n || answer.x0 !== 0n) {
      system.log.push({ kind: "console", text: "WARNING in _kvm_host_prot_finalize" });
      result = negative("EINVAL");
    }
  }
  return result;
}
