// What the kernel prints of a step: the messages that the measurements selected, in our words only
// where they do not matter.

import { branchOf } from "../../spec/branches/branches.ts";
import { signed } from "../../spec/types/outcome.ts";
import type { ModelStep } from "../step.ts";

/** The value that a step returned, as a signed number. */
const value = ({ outcome }: ModelStep): number =>
  outcome.kind === "returned" ? Number(signed(outcome.value)) : 0;

/**
 * The lines that the kernel prints because of one step.
 * Source: measured `console` records; kvm_arm_init, pkvm_load_early_modules,
 * pkvm_firmware_rmem_clear (android14-6.1).
 */
export function consoleLines(step: ModelStep): readonly string[] {
  const { action, post } = step;
  switch (action.kind) {
    case "kvm_arm_init":
      return post.boot.hypUp
        ? [`Protected ${branchOf(post.config).layout.reportedMode} mode initialized successfully`]
        : [];
    case "modprobe_exit":
      return action.status === 0
        ? []
        : [`Failed to load pkvm module ${action.name}: ${action.status}`];
    case "pkvm_firmware_rmem_clear":
      return step.pre.firmware.regionBytes > 0 && step.pre.firmware.advertisedBytes > 0
        ? ["Clearing unused pKVM firmware memory"]
        : [];
    case "el2_module_loaded":
      return [];
    case "pkvm_drop_host_privileges":
      return value(step) === 0 ? [] : [`Failed to de-privilege the host kernel: ${value(step)}`];
    default:
      return [];
  }
}

/** What the host prints when EL2 panicked. */
export function panicLines(step: ModelStep): readonly string[] {
  const end = step.post.end;
  if (end?.kind !== "hyp-panic" || step.pre.end !== undefined) return [];
  return [`hyp panic: ${end.reason}`, "Kernel panic - not syncing: HYP panic"];
}
