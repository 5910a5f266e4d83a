// Where a walk asks for what the model does not know: nowhere, but for what is named here.

import type { ModelStep } from "../../model/step.ts";
import type { Walk } from "./walks.ts";

/** By the name of the walk: what the model says that it does not model. */
const KNOWN: ReadonlyMap<string, string> = new Map([
  ["ranges of any length", "op host_stage2_mod_prot_range of so many pages"],
  ["what the kernel is built without is asked all the same", "__pkvm_iommu_driver_init"],
]);

/** What the model does not know on a walk, and should; undefined when it is as it was named. */
export function unknownOn({ name }: Walk, steps: readonly ModelStep[]): string | undefined {
  const stops = steps.flatMap(({ outcome }) =>
    outcome.kind === "unmodelled" ? [outcome.what] : [],
  );
  const known = KNOWN.get(name);
  const isAsNamed = known === undefined ? stops.length === 0 : stops.join() === known;
  return isAsNamed ? undefined : `"${stops.join()}" is not modelled, in place of "${known ?? ""}"`;
}
