// Whole scenarios: a system, a boot, and what the host does after it.

import fc from "fast-check";
import type { HostAction, Scenario } from "../../model/scenario.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { boot } from "./boot.ts";
import type { ExampleModule } from "./examples.ts";
import { hvc, kvm, modules, vmLife } from "./host-action.ts";

const CPU_COUNT = 2;

/**
 * The systems of the slice: the documented one, and android14-6.1 as measured, each in both builds.
 */
export const SYSTEMS: readonly SystemConfig[] = [true, false].flatMap((documented) =>
  (["production", "el2debug"] as const).map((build) => ({
    branch: "android14-6.1" as const,
    build,
    documented,
    cpuCount: CPU_COUNT,
  })),
);

/**
 * Some modules of a pool. Half of the time only those that run programs: they reach what no fixed
 * module does.
 */
const presentModules = (
  pool: readonly ExampleModule[],
  atLeastOne: boolean,
): fc.Arbitrary<readonly ExampleModule[]> => {
  const minLength = atLeastOne ? 1 : 0;
  const instruments = pool.filter(({ runsPrograms }) => runsPrograms);
  const mixed = fc.subarray([...pool], { minLength, maxLength: Math.min(4, pool.length) });
  return instruments.length === 0
    ? mixed
    : fc.oneof(mixed, fc.subarray(instruments, { minLength }));
};

/** What the host does after boot: single actions and whole lives of VMs, in any order. */
const hostActions = (
  present: readonly ExampleModule[],
  cpuCount: number,
): fc.Arbitrary<readonly HostAction[]> => {
  const alone = (action: fc.Arbitrary<HostAction>) => action.map((one) => [one]);
  const part = fc.oneof(
    { weight: 10, arbitrary: alone(hvc(cpuCount)) },
    { weight: 4, arbitrary: alone(kvm) },
    { weight: 1, arbitrary: vmLife },
    { weight: 2, arbitrary: alone(modules(present, cpuCount)) },
  );
  return fc.array(part, { maxLength: 12, size: "max" }).map((parts) => parts.flat());
};

/**
 * Scenarios on one system in which some of `pool` lie in the initramfs, and always all of
 * `subjects`.
 */
export const scenario = (
  system: SystemConfig,
  pool: readonly ExampleModule[],
  subjects: readonly ExampleModule[] = [],
): fc.Arbitrary<Scenario> =>
  presentModules(pool, subjects.length === 0).chain((some) => {
    // One file a name: two of the examples share theirs.
    const byName = new Map([...some, ...subjects].map((module) => [module.name, module]));
    const present = [...byName.values()];
    return fc.record({
      system: fc.constant(system),
      boot: boot(present),
      actions: hostActions(present, system.cpuCount),
    });
  });
