// Lookups in EL2's table of VMs: by handle, and by the CPU that has a vCPU loaded.

import type { Hyp } from "../../spec/types/hyp.ts";
import { HANDLE_OFFSET, type HypVcpu, type HypVm, KVM_MAX_PVMS } from "../../spec/types/hyp-vm.ts";

/**
 * A register as a handle: 32 bits, and what is below the offset wraps to an index beyond the table.
 * Source: pkvm_handle_t, vm_handle_to_idx, hyp/nvhe/pkvm.c (android14-6.1).
 */
export const handleOf = (register: bigint): number => Number(BigInt.asUintN(32, register));

/** The VM of a handle. Source: get_vm_by_handle (android14-6.1). */
export const vmOf = ({ vmTable }: Pick<Hyp, "vmTable">, handle: number): HypVm | undefined =>
  handle - HANDLE_OFFSET < KVM_MAX_PVMS ? vmTable.get(handle) : undefined;

/** A loaded vCPU with its VM. */
export interface Loaded {
  readonly handle: number;
  readonly index: number;
  readonly vm: HypVm;
  readonly vcpu: HypVcpu;
}

/** What a CPU has loaded. Source: pkvm_get_loaded_hyp_vcpu (android14-6.1). */
export function loadedOn(
  { loaded, vmTable }: Pick<Hyp, "loaded" | "vmTable">,
  cpu: number,
): Loaded | undefined {
  const which = loaded[cpu];
  if (which === undefined) return undefined;
  const vm = vmTable.get(which.handle);
  const vcpu = vm?.vcpus[which.vcpu];
  if (vm === undefined || vcpu === undefined) return undefined;
  return { handle: which.handle, index: which.vcpu, vm, vcpu };
}

/** How many CPUs have a vCPU of a VM loaded. Source: hyp_page_count of the VM's memory. */
export const timesLoaded = ({ loaded }: Pick<Hyp, "loaded">, handle: number): number =>
  loaded.filter((which) => which?.handle === handle).length;
