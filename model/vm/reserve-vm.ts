// __pkvm_reserve_vm and __pkvm_unreserve_vm: a handle before there is a VM (mainline 7.3).

import { cite } from "../../spec/sources.ts";
import { negative } from "../../spec/types/errno.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { HANDLE_OFFSET, KVM_MAX_PVMS } from "../../spec/types/hyp-vm.ts";
import { ANSWERS_NOTHING, answered } from "../../spec/types/outcome.ts";
import { argument, type Hypercall } from "../dispatch/hypercall.ts";
import { handleOf } from "./loaded.ts";

/** The lowest handle that is neither a VM's nor reserved. Source: find_free_vm_table_entry. */
function freeHandle({
  vmTable,
  reservedHandles,
}: Pick<Hyp, "vmTable" | "reservedHandles">): number | undefined {
  for (let index = 0; index < KVM_MAX_PVMS; index++) {
    const handle = HANDLE_OFFSET + index;
    if (!vmTable.has(handle) && !reservedHandles.has(handle)) return handle;
  }
  return undefined;
}

/** __pkvm_reserve_vm(): the handle. */
export const reserveVm: Hypercall = {
  name: "__pkvm_reserve_vm",
  source: [cite("mainline", "__pkvm_reserve_vm, allocate_vm_table_entry, hyp/nvhe/pkvm.c")],
  guards: [
    {
      clause: "VM-90",
      permits: (hyp) => freeHandle(hyp) !== undefined,
      refusal: () => answered(negative("ENOMEM")),
    },
  ],
  effect: (hyp) => {
    const handle = freeHandle(hyp);
    // Only a removed guard gets here without a handle: the kernel would write past its table.
    if (handle === undefined) return { kind: "hyp-panic", reason: "EL2_ABORT" };
    hyp.reservedHandles.add(handle);
    return answered(handle);
  },
};

/** __pkvm_unreserve_vm(handle): a handle whose VM was made, or that was never given, stays. */
export const unreserveVm: Hypercall = {
  name: "__pkvm_unreserve_vm",
  source: [cite("mainline", "__pkvm_unreserve_vm, hyp/nvhe/pkvm.c")],
  guards: [
    {
      clause: "VM-92",
      permits: (hyp, call) => hyp.reservedHandles.has(handleOf(argument(call, 1))),
      refusal: () => ANSWERS_NOTHING,
    },
  ],
  effect: (hyp, call) => {
    const handle = handleOf(argument(call, 1));
    hyp.reservedHandles.delete(handle);
    // Only a removed guard gets here with the handle of a VM: its entry would be gone.
    hyp.vmTable.delete(handle);
    return ANSWERS_NOTHING;
  },
};
