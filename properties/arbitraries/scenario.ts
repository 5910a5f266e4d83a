// Whole scenarios: a system, a boot, and what the host does after it.

import fc from "fast-check";
import type { Scenario } from "../../model/scenario.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { boot } from "./boot.ts";
import type { ExampleModule } from "./examples.ts";
import { hvc, kvm, modules } from "./host-action.ts";

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
 * Scenarios on one system in which some of `pool` lie in the initramfs, and always all of
 * `subjects`.
 */
export const scenario = (
  system: SystemConfig,
  pool: readonly ExampleModule[],
  subjects: readonly ExampleModule[] = [],
): fc.Arbitrary<Scenario> =>
  fc.subarray([...pool], { minLength: subjects.length > 0 ? 0 : 1, maxLength: 4 }).chain((some) => {
    // One file a name: two of the examples share theirs.
    const byName = new Map([...some, ...subjects].map((module) => [module.name, module]));
    const present = [...byName.values()];
    return fc.record({
      system: fc.constant(system),
      boot: boot(present),
      actions: fc.array(
        fc.oneof(
          { weight: 5, arbitrary: hvc(system.cpuCount) },
          { weight: 2, arbitrary: kvm },
          { weight: 1, arbitrary: modules(present, system.cpuCount) },
        ),
        { maxLength: 12, size: "max" },
      ),
    });
  });
