// The example guests as scenarios: each image as a protected VM and as one that is not.

import { guestLife, type Scenario } from "../../model/scenario.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { GOOD_BOOTS } from "./failing-loads.ts";

/** Every image of a guest, from the root of the project. */
export const GUEST_IMAGES: readonly string[] = [
  "p",
  "np",
  "cpuon",
  "mmioram",
  "nolegacy",
  "relinq",
  "relinq2",
  "relunal",
  "share",
  "shareunal",
].map((name) => `examples/guests/g_${name}.bin`);

const PROTECTED = 0x8000_0000;

/** After a boot that succeeds each guest runs to its end; guests are those of android14-6.1. */
export function guestScenarios(system: SystemConfig): readonly Scenario[] {
  const boot = GOOD_BOOTS[0]?.boot;
  if (boot === undefined || system.branch !== "android14-6.1") return [];
  return GUEST_IMAGES.flatMap((image) =>
    [PROTECTED, 0].map(
      (type): Scenario => ({
        system,
        boot,
        actions: [...guestLife(0, type, image), { kind: "KVM_CLOSE", vm: 0 }],
      }),
    ),
  );
}
