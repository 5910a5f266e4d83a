// The allocator of EL2's private range: bases worked out by hand from the rule and from the
// measured addresses.

import { describe, expect, test } from "vitest";
import { reservation } from "../../../model/dispatch/module-hypercalls.ts";
import { initialHyp, PRIVATE_LIMIT } from "../../../model/initial.ts";
import { step } from "../../../model/step.ts";
import { hypVa } from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";

const CONFIG = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;

/** A system whose hypervisor is up, with the next free private address set. */
function up(nextFree: bigint): Hyp {
  const hyp = initialHyp(CONFIG, 0);
  return {
    ...hyp,
    boot: { ...hyp.boot, mode: "protected", hypUp: true },
    el2: { ...hyp.el2, nextFree: hypVa(nextFree) },
  };
}

/** The bases that __pkvm_alloc_module_va answers, one call after the other. */
function bases(hyp: Hyp, ...pages: bigint[]): bigint[] {
  let state = hyp;
  return pages.map((count) => {
    const x = [0xc600_000cn, count, ...new Array<bigint>(16).fill(0n)];
    const { post, outcome } = step(state, { kind: "hvc", cpu: 0, imm: 0, x });
    state = post;
    if (outcome.kind !== "hcall" || outcome.x1 === undefined) throw new Error("no answer");
    return outcome.x1;
  });
}

describe("__pkvm_alloc_module_va", () => {
  test("gives ovm (6 pages), ovm again, and a page the measured addresses", () => {
    expect(bases(up(0x20_0000_a000n), 6n, 6n)).toEqual([0x20_0001_0000n, 0x20_0001_8000n]);
    expect(bases(up(0x20_0000_a000n), 6n, 1n)).toEqual([0x20_0001_0000n, 0x20_0001_6000n]);
    expect(bases(up(0x20_0000_a000n), 1n)).toEqual([0x20_0000_a000n]);
  });

  test("aligns to the size rounded up to a power of two", () => {
    // 3 pages -> 4 pages: 0xa000 rounds up to 0xc000; the next is at 0xf000, and 5 pages -> 8
    // pages: 0x10000.
    expect(bases(up(0x20_0000_a000n), 3n, 5n, 1n, 2n)).toEqual([
      0x20_0000_c000n,
      0x20_0001_0000n,
      0x20_0001_5000n,
      0x20_0001_6000n,
    ]);
  });

  test("no pages is address 0 and takes nothing", () => {
    expect(bases(up(0x20_0000_a000n), 0n, 1n)).toEqual([0n, 0x20_0000_a000n]);
  });

  test("2^52 pages shift to 0 bytes, as 0 pages do", () => {
    expect(bases(up(0x20_0000_a000n), 1n << 52n, 1n)).toEqual([0n, 0x20_0000_a000n]);
  });

  test("beyond the end of the range it is address 0 and takes nothing", () => {
    const last = PRIVATE_LIMIT - 0x1000n;
    expect(bases(up(last), 2n, 1n, 1n)).toEqual([0n, last, 0n]);
  });

  test("as many pages as fit nowhere are refused without looping", () => {
    expect(reservation(up(0x20_0000_a000n), (1n << 52n) - 1n)).toBeUndefined();
    expect(reservation(up(0x20_0000_a000n), 1n << 36n)).toBeUndefined();
  });
});
