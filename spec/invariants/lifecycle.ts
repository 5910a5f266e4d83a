// What is true of every state about boot, firmware and VMs.

import { branchOf } from "../branches/branches.ts";
import type { Invariant } from "../clause.ts";
import { PAGE } from "../page.ts";
import { cite } from "../sources.ts";

/** Numbers of the VMs that a test picks out. */
const numbers = <V>(vms: ReadonlyMap<number, V>, offends: (vm: V) => boolean): readonly number[] =>
  [...vms].filter(([, vm]) => offends(vm)).map(([number]) => number);

export const LIFECYCLE_INVARIANTS: readonly Invariant[] = [
  {
    id: "INV-1",
    kind: "documented",
    statement: "After a failed load there is no protected VM.",
    source: [cite("page", PAGE.failedLoad)],
    applies: ({ boot }) => boot.loadFailure !== undefined,
    violations: ({ boot, vms }) =>
      numbers(vms, ({ isProtected }) => isProtected).map(
        (vm) => `VM ${vm} is protected although "${boot.loadFailure?.name}" failed to load`,
      ),
  },
  {
    id: "INV-2",
    kind: "kernel",
    statement: "After a failed load the host is deprivileged only with the firmware wiped.",
    source: [
      cite("android14-6.1", "finalize_pkvm, pkvm_firmware_rmem_clear, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-missing-after-iommufin: Clearing unused pKVM firmware memory"),
    ],
    applies: ({ boot }) => boot.key && boot.loadFailure !== undefined,
    violations: ({ boot, firmware }) =>
      firmware.content === "zero"
        ? []
        : [`the firmware is there although "${boot.loadFailure?.name}" failed to load`],
  },
  {
    id: "INV-3",
    kind: "kernel",
    statement: "On 6.1 the host is deprivileged with its firmware only if a module isolated DMA.",
    source: [
      cite("android14-6.1", "finalize_pkvm: pkvm_iommu_finalized, arch/arm64/kvm/pkvm.c"),
      cite("measured", "fw-modok, fw-nomod: wiped; fw-modok-iommufin: kept"),
    ],
    applies: ({ config, boot }) =>
      boot.key && branchOf(config).dmaIsolatedBy === "pkvm_iommu_finalize" && !boot.iommuFinalised,
    violations: ({ firmware }) =>
      firmware.content === "zero" ? [] : ["the firmware is there although no module isolated DMA"],
  },
  {
    id: "INV-4",
    kind: "kernel",
    statement: "A firmware that is not there is not advertised.",
    source: [
      cite("android14-6.1", "pkvm_firmware_rmem_clear: pkvm_firmware_mem = NULL"),
      cite("android15-6.6", "pkvm_firmware_rmem_clear: pvmfw_size is left as it was"),
    ],
    // What a call leaves that should have ended the system is INV-34's.
    applies: ({ firmware, psci }) => firmware.content === "zero" && !psci.memProtectLocked,
    violations: ({ firmware }) =>
      firmware.advertisedBytes === 0
        ? []
        : [`${firmware.advertisedBytes} bytes of firmware are advertised and are zeros`],
  },
  {
    id: "INV-34",
    kind: "kernel",
    statement: "A system that goes on has lost nothing to a call that was to end it.",
    source: [
      cite(
        "android14-6.1",
        "psci_1_0_handler, hyp/nvhe/psci-relay.c: pkvm_poison_pvmfw_pages and the lock come first",
      ),
    ],
    applies: ({ psci }) => psci.memProtectLocked,
    violations: ({ end }) =>
      end === undefined ? ["the firmware was overwritten and the lock taken, and it goes on"] : [],
  },
  {
    id: "INV-5",
    kind: "kernel",
    statement: "A VM that was given an address for its firmware started from the vendor's image.",
    source: [
      cite("android14-6.1", "pkvm_vm_ioctl_set_fw_ipa; pkvm_load_pvmfw_pages, hyp/nvhe/pkvm.c"),
    ],
    applies: ({ vms }) => vms.size > 0,
    violations: ({ vms }) =>
      numbers(
        vms,
        ({ started, firmwareIpa, startedFromFirmware }) =>
          started && firmwareIpa !== undefined && !startedFromFirmware,
      ).map((vm) => `VM ${vm} started where its firmware should have been and was not`),
  },
  {
    id: "INV-6",
    kind: "kernel",
    statement: "Once the host is deprivileged no EL2 half is being loaded.",
    source: [
      cite("android14-6.1", "finalize_pkvm: modules first; handle_host_hcall: hcall_min"),
      cite("measured", "late: -95"),
    ],
    applies: ({ boot }) => boot.key,
    violations: ({ modules }) =>
      [...modules.values()]
        .filter(({ el2 }) => el2 === "reserved" || el2 === "mapped")
        .map(({ name, el2 }) => `the EL2 half of ${name} is ${el2} and the key is set`),
  },
  {
    id: "INV-7",
    kind: "kernel",
    statement: "No CPU is behind stage 2 before the key is set.",
    source: [
      cite("android14-6.1", "pkvm_drop_host_privileges: the key first, then on_each_cpu"),
      cite("android14-6.1", "handle_host_hcall: __pkvm_prot_finalize may be called earlier"),
    ],
    applies: ({ boot }) => !boot.key,
    violations: ({ boot }) =>
      boot.finalised.flatMap((is, cpu) =>
        is ? [`CPU ${cpu} is finalised, the key is clear`] : [],
      ),
  },
  {
    id: "INV-8",
    kind: "kernel",
    statement: "Without pKVM at EL2 there is nothing of a module there.",
    source: [
      cite("android14-6.1", "__pkvm_load_el2_module: is_protected_kvm_enabled"),
      cite("measured", "mod-kvmoff, mod-notprotected"),
    ],
    applies: ({ boot }) => !boot.hypUp,
    violations: ({ boot, el2, dispatch }) => [
      ...(boot.key ? ["the key is set"] : []),
      ...(el2.reservations.length > 0 ? ["EL2 addresses are reserved"] : []),
      ...(el2.mappings.size > 0 ? ["module pages are mapped"] : []),
      ...(dispatch.dynamicHcalls.length > 0 ? ["functions are registered"] : []),
      ...(Object.keys(dispatch.callbacks).length > 0 ? ["callbacks are registered"] : []),
    ],
  },
];
