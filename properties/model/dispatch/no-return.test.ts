// Why EL2 stopped, told from the syndrome of the exception that it took from itself.

import { expect, test } from "vitest";
import { panicReason } from "../../../model/dispatch/no-return.ts";
import { initialHyp } from "../../../model/initial.ts";
import { step } from "../../../model/step.ts";
import type { BranchName } from "../../../spec/branches/branch.ts";
import type { Action } from "../../../spec/types/action.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import type { PanicReason } from "../../../spec/types/outcome.ts";
import { deprivileged, hypercallOn } from "../../support/branch-walks.ts";

const esr = (ec: number, iss: number): bigint => (BigInt(ec) << 26n) | (1n << 25n) | BigInt(iss);

/**
 * Exception classes of DDI0487 D24.2.40 with IL set, as an exception of EL2's own. BRK immediates:
 * BUG_BRK_IMM 0x800; of kCFI 0x8000 with the numbers of two registers in 0x1fff (asm/brk-imm.h).
 */
const SYNDROMES: readonly (readonly [what: string, ec: number, iss: number, PanicReason])[] = [
  ["an undefined instruction", 0x00, 0, "EL2_UNDEFINED"],
  ["a branch to what is no target", 0x0d, 2, "EL2_BRANCH_TARGET"],
  ["a pointer that does not authenticate", 0x1c, 0, "EL2_PAUTH_FAILURE"],
  ["a load that translates to nothing", 0x25, 0x07, "EL2_ABORT"],
  ["BUG()", 0x3c, 0x0800, "EL2_BUG"],
  ["the last immediate before those of kCFI", 0x3c, 0x7fff, "EL2_BUG"],
  ["kCFI, target and type in x0", 0x3c, 0x8000, "EL2_CFI_FAILURE"],
  ["kCFI, type in w17, target in x16", 0x3c, 0x8230, "EL2_CFI_FAILURE"],
  ["kCFI, the last immediate", 0x3c, 0x9fff, "EL2_CFI_FAILURE"],
  ["the first immediate after those of kCFI", 0x3c, 0xa000, "EL2_BUG"],
  ["an SError", 0x2f, 0, "EL2_ABORT"],
];

test.each(SYNDROMES)("%s", (_, ec, iss, reason) => {
  const exception = { kind: "el2_exception", cpu: 0, elr: 0n, far: 0n, esr: esr(ec, iss) } as const;
  expect(panicReason({ ...exception, entered: "inside" })).toBe(reason);
});

test("an address that EL2 cannot execute is the caller's where it was called by it", () => {
  const exception = {
    kind: "el2_exception",
    cpu: 0,
    elr: 0n,
    far: 0n,
    esr: esr(0x21, 0x07),
  } as const;
  expect(panicReason({ ...exception, entered: "inside" })).toBe("EL2_ABORT");
  expect(panicReason({ ...exception, entered: "handler" })).toBe("BAD_HCALL_ADDRESS");
});

const after = (branch: BranchName, ...actions: readonly Action[]): Hyp => {
  const config = { branch, build: "production", documented: false, cpuCount: 2 } as const;
  return actions.reduce((hyp, action) => step(hyp, action).post, initialHyp(config, 0));
};

// Measured, "HYP panic: ESR 0xf2000800": a check of EL2's own is a BRK. An access without a
// mapping has a syndrome that depends on the access, which the abstract model does not make.
test("a check that fails at EL2 has the syndrome of BUG, an abort none that is known", () => {
  const early = (args: readonly bigint[]): Action =>
    ({ kind: "op", cpu: 0, op: "linear_map_early", args }) as const;
  const up = deprivileged("android14-6.1").slice(0, 2);
  const bug = [early([0x5000_0000n, 0x1000n, 6n]), early([0x5000_0000n, 0x1000n, 4n])];
  expect(after("android14-6.1", ...up, ...bug).end).toEqual({
    ...{ kind: "hyp-panic", reason: "EL2_BUG", esr: 0xf200_0800n },
  });
  const abort = hypercallOn("mainline-6.1", "__kvm_adjust_pc", 0n);
  expect(after("mainline-6.1", ...deprivileged("mainline-6.1"), abort).end).toEqual({
    ...{ kind: "hyp-panic", reason: "EL2_ABORT", esr: undefined },
  });
});
