// What the host gives to __pkvm_init_module: an address of EL2, or a page of its own that it shares
// while the call is made.

import { branchOf } from "../../spec/branches/branches.ts";
import type { HypVa, KernVa } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import {
  pfnOfKernVa,
  readKernelBytes,
  writeKernel64,
  writeKernelBytes,
} from "../machine/kernel-memory.ts";
import { kernelLinear } from "../machine/layout.ts";
import { type System, stop } from "../machine/system.ts";
import { allocPages, freePages } from "./exported/page-allocator.ts";
import { hypercall } from "./hypercall.ts";
import { archHypOf, thisModuleAddress } from "./struct-module.ts";

/** The EL2 half that is being loaded. */
interface Loading {
  readonly name: string;
  /** The EL1 address of its init function. */
  readonly init: bigint;
  readonly base: HypVa;
  readonly start: KernVa;
}

/** The argument of the call, and the shared page that it points to, if it does. */
export interface Given {
  readonly errno: number;
  readonly argument: bigint;
  readonly page: KernVa | undefined;
}

/**
 * Up to 6.6 the address of the function at EL2; from 6.12 on a page with a copy of the module's
 * struct pkvm_el2_module. Undefined when the system ended, or the structure is not known.
 * Source: pkvm_map_module_struct, arch/arm64/kvm/pkvm.c (android16-6.12).
 */
export function giveInit(system: System, cpu: number, loading: Loading): Given | undefined {
  const { init, base, start } = loading;
  if (branchOf(system.hyp.config).initArgument === "function VA") {
    return { errno: 0, argument: init - start + base, page: undefined };
  }
  const frame = allocPages(system.machine.pages, 0);
  const refused = { errno: negative("ENOMEM"), argument: 0n, page: undefined };
  if (frame === undefined) return refused;
  const page = kernelLinear(system.machine.branch, BigInt(frame) * 4096n);
  const shared = hypercall(system, cpu, "__pkvm_host_share_hyp", [BigInt(frame)]);
  if (shared === undefined) return undefined;
  if (shared.x1 !== 0n) {
    freePages(system.machine.pages, frame, 0);
    return refused;
  }
  return copyStruct(system, loading, page) ? { errno: 0, argument: page, page } : undefined;
}

/** Fills mod->hyp_va and copies the structure; false when its layout is not known. */
function copyStruct(system: System, { name, init, base }: Loading, page: KernVa): boolean {
  const loaded = system.images.get(name)?.loaded;
  const layout = loaded && archHypOf(loaded.file.thisModule.size);
  if (loaded === undefined || layout?.hypVa === undefined) {
    stop(system, `${name}: a struct module of unknown layout`);
    return false;
  }
  const { machine } = system;
  const hyp = thisModuleAddress(loaded) + BigInt(layout.archHyp);
  writeKernel64(machine, (hyp + BigInt(layout.hypVa)) as KernVa, base);
  writeKernel64(machine, (hyp + BigInt(layout.init)) as KernVa, init);
  writeKernelBytes(machine, page, readKernelBytes(machine, hyp, layout.size));
  return true;
}

/** The page is the host's alone again, and free; false when EL2 did not come back from it. */
export function takeBack(system: System, cpu: number, { page }: Given): boolean {
  if (page === undefined) return true;
  const frame = pfnOfKernVa(system.machine, page);
  const answer = hypercall(system, cpu, "__pkvm_host_unshare_hyp", [BigInt(frame)]);
  if (answer === undefined) return false;
  freePages(system.machine.pages, frame, 0);
  return true;
}
