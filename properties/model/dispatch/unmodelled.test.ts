// What the model does not know of dispatch stops with its name; it is never an answer.

import { expect, test } from "vitest";
import { initialHyp } from "../../../model/initial.ts";
import { step } from "../../../model/step.ts";
import type { Action } from "../../../spec/types/action.ts";
import type { Hyp, SystemConfig } from "../../../spec/types/hyp.ts";
import { hypercallOn } from "../../support/branch-walks.ts";

const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

const after = (...actions: readonly Action[]): Hyp =>
  actions.reduce((hyp, action) => step(hyp, action).post, initialHyp(SYSTEM, 0));

const UP = after(
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
);

const hvc = (x0: bigint): Action => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: Array.from({ length: 18 }, (_, n) => (n === 0 ? x0 : 0n)),
});

// HVC_SET_VECTORS, HVC_SOFT_RESTART, HVC_RESET_VECTORS and one more: asm/virt.h, below
// HVC_STUB_HCALL_NR, which is 4; a VHE kernel has more. From there on it is HVC_STUB_ERR.
test.each([0n, 1n, 2n, 3n])("call %i of the stub vectors", (x0) => {
  const { outcome } = step(after(), hvc(x0));
  expect(outcome).toEqual({ kind: "unmodelled", what: `HVC stub call ${x0}` });
});

test("the first id that the stub vectors do not know", () => {
  expect(step(after(), hvc(4n)).outcome).toMatchObject({ kind: "hcall", x0: 0xbad_ca11n });
});

// EL2's linear map has the page 0x50001 at 0x4010001000 (kern_hyp_va; measured, machines).
test("a module's page where the linear map has another", () => {
  const map = (va: bigint) =>
    step(UP, hypercallOn("android14-6.1", "__pkvm_map_module_page", 0x5_0000n, va, 5n));
  expect(map(0x40_1000_1000n).outcome).toMatchObject({ kind: "unmodelled" });
  expect(map(0x20_0000_a000n).outcome).toMatchObject({ kind: "hcall", x1: 0n });
});

// 4 GiB of devices behind the memory are the host's; so long a list of pages is not kept.
test("a donation of more than 2 GiB that nothing refuses", () => {
  const op: Action = { kind: "op", cpu: 0, op: "host_donate_hyp", args: [0x10_0000n, 0x10_0000n] };
  expect(step(UP, op).outcome).toEqual({
    kind: "unmodelled",
    what: "op host_donate_hyp of so many pages",
  });
});
