// Which hypercalls the model knows, by the kernel's name.

import type { Hyp } from "../../spec/types/hyp.ts";
import { vcpuRun } from "../guest/vcpu-run.ts";
import { SHARE_HCALLS } from "../ownership/share.ts";
import { hostDonateGuest, reclaimFrame } from "../vm/donate-guest.ts";
import { initHostVcpu, initReservedVm } from "../vm/init-reserved.ts";
import { initVcpu } from "../vm/init-vcpu.ts";
import { initVm } from "../vm/init-vm.ts";
import { LOAD_HCALLS } from "../vm/load-vcpu.ts";
import { mapGuest } from "../vm/map-guest.ts";
import { reserveVm, unreserveVm } from "../vm/reserve-vm.ts";
import { finalizeTeardown, startTeardown, TEARDOWN_HCALLS } from "../vm/teardown.ts";
import type { Hypercall } from "./hypercall.ts";
import { MAINLINE_HCALLS, mainlineHypercall } from "./mainline-hypercalls.ts";
import {
  allocModuleVa,
  FINALIZE_HCALLS,
  initModule,
  mapModulePage,
  registerHcall,
  unmapModulePage,
} from "./module-hypercalls.ts";
import { protFinalize } from "./prot-finalize.ts";
import { UNCONFIGURED_HCALLS } from "./unconfigured.ts";

/** Those whose differences between branches are data of the branch. */
const EVERYWHERE: readonly Hypercall[] = [
  ...FINALIZE_HCALLS,
  allocModuleVa,
  mapModulePage,
  unmapModulePage,
  initModule,
  registerHcall,
  protFinalize,
  ...SHARE_HCALLS,
];

/** Those that are known of android14-6.1 alone. */
const ANDROID14: readonly Hypercall[] = [
  mapGuest,
  initVm,
  initVcpu,
  ...TEARDOWN_HCALLS,
  ...LOAD_HCALLS,
  ...UNCONFIGURED_HCALLS,
  vcpuRun,
];

/** Those of VMs on mainline 7.3, by the name in its table. */
const MAINLINE_VMS: ReadonlyMap<string, Hypercall> = new Map([
  ["__pkvm_reserve_vm", reserveVm],
  ["__pkvm_unreserve_vm", unreserveVm],
  ["__pkvm_init_vm", initReservedVm],
  ["__pkvm_init_vcpu", initHostVcpu],
  ["__pkvm_host_donate_guest", hostDonateGuest],
  ["__pkvm_start_teardown_vm", startTeardown],
  ["__pkvm_reclaim_dying_guest_page", reclaimFrame],
  ["__pkvm_finalize_teardown_vm", finalizeTeardown],
  ...LOAD_HCALLS.map((hypercall) => [hypercall.name, hypercall] as const),
  ["__kvm_vcpu_run", vcpuRun],
]);

const byName = (hypercalls: readonly Hypercall[]): ReadonlyMap<string, Hypercall> =>
  new Map(hypercalls.map((hypercall) => [hypercall.name, hypercall]));
const [OF_EVERY_BRANCH, OF_ANDROID14] = [byName(EVERYWHERE), byName(ANDROID14)];

/** Every transition of a hypercall. */
export const HYPERCALLS: readonly Hypercall[] = [
  ...new Set([...EVERYWHERE, ...ANDROID14, ...MAINLINE_VMS.values(), ...MAINLINE_HCALLS]),
];

/** The transition of a hypercall on a branch, or nothing: then the run stops with its name. */
export function hypercallOf(hyp: Hyp, name: string): Hypercall | undefined {
  const known = OF_EVERY_BRANCH.get(name);
  if (known !== undefined) return known;
  if (hyp.config.branch === "android14-6.1") return OF_ANDROID14.get(name);
  if (hyp.config.branch === "mainline-7.3") return MAINLINE_VMS.get(name);
  return mainlineHypercall(hyp, name);
}
