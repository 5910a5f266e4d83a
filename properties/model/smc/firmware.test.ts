// What the firmware below answers to CPU_SUSPEND, which no trace has asked it with a deep state.

import { expect, test } from "vitest";
import { initialHyp } from "../../../model/initial.ts";
import { firmware } from "../../../model/smc/firmware.ts";

const HYP = initialHyp(
  { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  0,
);
/** PSCI 1.1, 5.1.1: CPU_SUSPEND of 64 bits. */
const CPU_SUSPEND = 0xc400_0001n;
/** PSCI 1.1, 5.2.2. */
const INVALID_PARAMETERS = 0xffff_ffff_ffff_fffen;

// PSCI 1.1, 5.4.2: StateID in bits 15 to 0, StateType in 16, the power level in 25 and 24, and
// zeros: QEMU's firmware waits for an interrupt whatever the first two say, and refuses the rest.
test.each([
  [0n, 0n],
  [1n, 0n],
  [0xffffn, 0n],
  [0x1_0000n, 0n],
  [0x2_0000n, INVALID_PARAMETERS],
  [0x100_0000n, INVALID_PARAMETERS],
  [0x8000_0000n, INVALID_PARAMETERS],
])("a power state of 0x%x", (state, x0) => {
  const answer = firmware(HYP, [CPU_SUSPEND, state, 0n, 0n]);
  expect(answer.kind === "answers" && BigInt.asUintN(64, answer.x0)).toBe(x0);
});
