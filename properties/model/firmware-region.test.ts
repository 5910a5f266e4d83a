// The region of the firmware is nobody's to share or to give: EL2 has it, wiped or not.

import { expect, test } from "vitest";
import { initialHyp } from "../../model/initial.ts";
import { step } from "../../model/step.ts";
import { ANDROID14_6_1 } from "../../spec/branches/android14-6.1.ts";
import { hostSmcccId } from "../../spec/branches/branches.ts";
import type { Action } from "../../spec/types/action.ts";
import type { Hyp } from "../../spec/types/hyp.ts";

const SYSTEM = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;
/** One MiB, as in the fw-* traces: pfns 0x78000 to 0x780ff. */
const BYTES = 1 << 20;
const EPERM = 0xffff_ffff_ffff_ffffn;

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
];
const share = (frame: bigint): Action => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: [hostSmcccId(ANDROID14_6_1.hcalls.indexOf("__pkvm_host_share_hyp")), frame],
});
const donate = (frame: bigint): Action => ({
  kind: "op",
  cpu: 0,
  op: "host_donate_hyp",
  args: [frame, 1n],
});

const after = (actions: readonly Action[], bytes: number): Hyp =>
  actions.reduce((hyp, action) => step(hyp, action).post, initialHyp(SYSTEM, bytes));

test.each([
  [0x78000n, BYTES, EPERM],
  [0x780ffn, BYTES, EPERM],
  [0x77fffn, BYTES, 0n],
  [0x78100n, BYTES, 0n],
  [0x78000n, 0, 0n],
])("page %x with a firmware of %i bytes: sharing answers %i", (frame, bytes, x1) => {
  const hyp = after(UP, bytes);
  expect(step(hyp, share(frame)).outcome).toMatchObject({ kind: "hcall", x0: 0n, x1 });
  expect(step(hyp, donate(frame)).outcome).toMatchObject({ kind: "returned", value: x1 });
});

test("a wiped region stays EL2's", () => {
  const clear: Action = { kind: "pkvm_firmware_rmem_clear", because: "early module failed" };
  const hyp = after([...UP, clear], BYTES);
  expect(step(hyp, share(0x78000n)).outcome).toMatchObject({ kind: "hcall", x1: EPERM });
});

test("without pKVM nobody takes it", () => {
  const nvhe: Action = { kind: "parse_early_param", commandLine: "kvm-arm.mode=nvhe" };
  expect(after([nvhe, { kind: "kvm_arm_init" }], BYTES).pages.size).toBe(0);
});
