// __pkvm_vcpu_load, __pkvm_vcpu_put, __pkvm_vcpu_sync_state: what they refuse they refuse silently.

import { cite } from "../../spec/sources.ts";
import { ANSWERS_NOTHING } from "../../spec/types/outcome.ts";
import { argument, type Hypercall, type HypercallArgs } from "../dispatch/hypercall.ts";
import { handleOf, vmOf } from "./loaded.ts";

/** The index of a vCPU: an unsigned int. */
const indexOf = (call: HypercallArgs): number => Number(BigInt.asUintN(32, argument(call, 2)));

const nothing = () => ANSWERS_NOTHING;

/** __pkvm_vcpu_load(handle, index, hcr_el2). */
const vcpuLoad: Hypercall = {
  name: "__pkvm_vcpu_load",
  source: [
    cite("android14-6.1", "handle___pkvm_vcpu_load, hyp-main.c; pkvm_load_hyp_vcpu, pkvm.c"),
    cite("measured", "life-p, life-map-p: x1 stays, nothing is loaded"),
  ],
  guards: [
    {
      clause: "VM-30",
      permits: ({ loaded }, { cpu }) => loaded[cpu] === undefined,
      refusal: nothing,
    },
    {
      clause: "VM-31",
      permits: (hyp, call) => vmOf(hyp, handleOf(argument(call, 1))) !== undefined,
      refusal: nothing,
    },
    {
      clause: "VM-32",
      permits: (hyp, call) => vmOf(hyp, handleOf(argument(call, 1)))?.isDying !== true,
      refusal: nothing,
    },
    {
      clause: "VM-33",
      permits: (hyp, call) => {
        const vm = vmOf(hyp, handleOf(argument(call, 1)));
        return vm === undefined || indexOf(call) < vm.vcpus.length;
      },
      refusal: nothing,
    },
    {
      clause: "VM-34",
      permits: ({ loaded }, call) =>
        !loaded.some(
          (which) => which?.handle === handleOf(argument(call, 1)) && which.vcpu === indexOf(call),
        ),
      refusal: nothing,
    },
  ],
  effect: (hyp, call) => {
    // Only a removed guard gets here without a VM: the kernel would follow NULL.
    if (!hyp.vmTable.has(handleOf(argument(call, 1)))) {
      return { kind: "hyp-panic", reason: "EL2_ABORT" };
    }
    hyp.loaded[call.cpu] = { handle: handleOf(argument(call, 1)), vcpu: indexOf(call) };
    return ANSWERS_NOTHING;
  },
};

/** __pkvm_vcpu_put(): what the CPU has loaded, whatever it is. */
const vcpuPut: Hypercall = {
  name: "__pkvm_vcpu_put",
  source: [
    cite("android14-6.1", "handle___pkvm_vcpu_put, hyp-main.c; pkvm_put_hyp_vcpu, pkvm.c"),
    cite("measured", "life-p: a second put shows nothing"),
  ],
  guards: [],
  effect: (hyp, { cpu }) => {
    hyp.loaded[cpu] = undefined;
    return ANSWERS_NOTHING;
  },
};

/** __pkvm_vcpu_sync_state(): registers of a guest that is not protected; never a page. */
const vcpuSyncState: Hypercall = {
  name: "__pkvm_vcpu_sync_state",
  source: [
    cite("android14-6.1", "handle___pkvm_vcpu_sync_state, hyp/nvhe/hyp-main.c"),
    cite("measured", "vmbad: without a vCPU nothing is visible"),
  ],
  guards: [],
  effect: () => ANSWERS_NOTHING,
};

export const LOAD_HCALLS: readonly Hypercall[] = [vcpuLoad, vcpuPut, vcpuSyncState];
