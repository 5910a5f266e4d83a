// What is tried with a user's modules: boot orders, stages that fail alone or in pairs, late loads.

import fc from "fast-check";
import {
  type BootPlan,
  type Fault,
  guestLife,
  type HostAction,
  type Scenario,
} from "../../model/scenario.ts";
import { scenario } from "../../properties/arbitraries/scenario.ts";
import type { Errno } from "../../spec/types/errno.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";

/** The modules under check: their names in the order of the list, and what a boot starts from. */
export interface Checked {
  readonly system: SystemConfig;
  readonly boot: BootPlan;
  readonly names: readonly string[];
  /** Pages that the EL2 halves have together: so many mappings can fail. */
  readonly el2Pages: number;
  /** Hypercalls that they register together. */
  readonly hypercalls: number;
}

/** A protected VM is wanted, as after every boot of a phone. */
const PROTECTED_VM = guestLife(0, 0x8000_0000, "off");

const withList = (boot: BootPlan, list: readonly string[]): BootPlan => ({
  ...boot,
  commandLine: boot.commandLine.replace(
    /kvm-arm\.protected_modules=\S*/,
    `kvm-arm.protected_modules=${list.join(",")}`,
  ),
});

const fault = (call: Fault["call"], nth: number, errno: Errno): Fault => ({ call, nth, errno });

/** NON-SPEC: how many mappings are made to fail, one at a time. */
const MAP_FAULTS_MAX = 32;

/** NON-SPEC: how many registrations are made to fail, one at a time. */
const REGISTER_FAULTS_MAX = 16;

/** The boot itself, then every order and failing stage on its own. */
export function* directed(checked: Checked): Generator<Scenario> {
  const { system, boot, names, el2Pages, hypercalls } = checked;
  const one = (plan: BootPlan, actions: readonly HostAction[] = PROTECTED_VM): Scenario => ({
    system,
    boot: plan,
    actions,
  });
  yield one(boot);
  yield one(withList(boot, [...names, "nosuch"]));
  yield one(withList(boot, ["nosuch", ...names]));
  yield one(withList(boot, [...names].reverse()));
  yield one(withList(boot, [...names, ...names]));
  for (const modprobe of ["kmod", "stand-in"] as const) yield one({ ...boot, modprobe });
  for (const name of names) {
    yield one(withList(boot, []), [{ kind: "insmod", cpu: 0, name, parameters: "" }]);
    yield one(boot, [{ kind: "rmmod", name }, ...PROTECTED_VM]);
    yield one({ ...boot, initramfs: boot.initramfs.filter((module) => module.name !== name) });
  }
  const faults = [
    fault("call_usermodehelper_exec", 0, "ENOMEM"),
    fault("__pkvm_alloc_module_va", 0, "ENOMEM"),
    ...Array.from({ length: Math.min(el2Pages, MAP_FAULTS_MAX) }, (_, nth) =>
      fault("__pkvm_map_module_page", nth, "EPERM"),
    ),
    // The table is full. Source: __pkvm_register_hcall.
    ...Array.from({ length: Math.min(hypercalls, REGISTER_FAULTS_MAX) }, (_, nth) =>
      fault("__pkvm_register_hcall", nth, "ENOMEM"),
    ),
  ];
  for (const failing of faults) yield one({ ...boot, faults: [failing] });
}

/** Boots in which two steps fail. */
export const twoFail = (
  { system, boot }: Checked,
  pairs: readonly (readonly Fault[])[],
): readonly Scenario[] =>
  pairs.map((faults) => ({ system, boot: { ...boot, faults }, actions: PROTECTED_VM }));

/** Random boots and host actions around the modules, from a seed. */
export function random(checked: Checked, seed: number, runs: number): readonly Scenario[] {
  const subjects = checked.boot.initramfs.map(({ name, file }) => ({
    name,
    file,
    runsPrograms: false,
    made: "sound" as const,
  }));
  return fc.sample(scenario(checked.system, [], subjects), { seed, numRuns: runs });
}
