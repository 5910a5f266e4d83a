// What a run through a page keeps right that single steps cannot get wrong: address and count.

import { describe, expect, it } from "vitest";
import { createCore, noGates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes } from "../../../cpu/memory.ts";
import type { Core } from "../../../cpu/state.ts";

const NOP = 0xd503_201f;
/** B forward by four instructions: 1400_0000 with imm26 4. */
const B_FORWARD_4 = 0x1400_0004;
/** MSR CNTHP_TVAL_EL2, X1: d51c_0000 with CRn 14 (e000), CRm 2 (200), op2 0 and Rt 1. */
const MSR_CNTHP_TVAL_EL2_X1 = 0xd51c_e201;
const MRS_X2_CNTPCT_EL0 = 0xd53b_e022;
const SVC_5 = 0xd400_00a1;

function coreWith(words: readonly number[], at: bigint): Core {
  const memory = createMemory([{ base: at & ~0xfffn, sizeBytes: 0x4000n }]);
  writeBytes(memory, at, new Uint8Array(Uint32Array.from(words).buffer));
  const core = createCore(max, memory, 0n);
  core.pc = at;
  core.sysreg.VBAR_EL2 = (at & ~0xfffn) + 0x2000n;
  return core;
}

describe("addresses", () => {
  it.each([0x4000_0000n, 0x1_4000_0000n, 0xffff_4000_0000n])("%s and a branch away", (at) => {
    const core = coreWith([NOP, NOP, B_FORWARD_4], at);
    run(core, { budget: 3, gates: noGates });
    expect(core.pc).toBe(at + 24n);
  });

  it("out of the last word of a page above 4 GiB", () => {
    const at = 0x1_4000_0ff8n;
    const core = coreWith([NOP, NOP, NOP], at);
    run(core, { budget: 2, gates: noGates });
    expect(core.pc).toBe(0x1_4000_1000n);
  });

  it("an exception in the middle returns to its own instruction", () => {
    const at = 0x1_4000_0000n;
    const core = coreWith([NOP, NOP, SVC_5], at);
    run(core, { budget: 3, gates: noGates });
    // SVC returns to the next one.
    expect(core.sysreg.ELR_EL2).toBe(at + 12n);
    const undefinedWord = coreWith([NOP, NOP, 0], at);
    run(undefinedWord, { budget: 3, gates: noGates });
    expect(undefinedWord.sysreg.ELR_EL2).toBe(at + 8n);
  });
});

describe("the counter, which counts instructions", () => {
  it("is right in the middle of a page, for who reads it and for who writes a timer", () => {
    const words = [NOP, NOP, NOP, MSR_CNTHP_TVAL_EL2_X1, MRS_X2_CNTPCT_EL0];
    const core = coreWith(words, 0x4000_0000n);
    core.x[1] = 100n;
    const start = core.counterBase;
    run(core, { budget: 5, gates: noGates });
    // Three instructions are completed before the fourth, four before the fifth.
    expect(core.sysreg.CNTHP_CVAL_EL2).toBe(start + 103n);
    expect(core.x[2]).toBe(start + 4n);
  });
});
