// Branch target identification: what an indirect branch may lead to in a guarded page.

import { describe, expect, it } from "vitest";
import { createCore, noGates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes, writePhysical } from "../../../cpu/memory.ts";
import type { Core } from "../../../cpu/state.ts";

const BASE = 0x4000_0000n;
const TABLE = BASE + 0x8000n;
const TARGET = BASE + 0x100n;
const GUARDED = 1n << 50n;
/** A block of 1 GiB: valid, access flag. */
const BLOCK = BASE | (1n << 10n) | 1n;

const BR_X3 = 0xd61f_0060;
const BR_X16 = 0xd61f_0200;
const BLR_X3 = 0xd63f_0060;
const RET_X3 = 0xd65f_0060;
const NOP = 0xd503_201f;
const BTI = 0xd503_241f;
const BTI_C = 0xd503_245f;
const BTI_J = 0xd503_249f;
const BTI_JC = 0xd503_24df;
const PACIASP = 0xd503_233f;
const PACIBSP = 0xd503_237f;
const BRK = 0xd420_0000;
const HLT = 0xd440_0000;

/** A branch at the start of a page of EL2, guarded or not, to one word. */
function branchTo(branch: number, word: number, attributes = GUARDED, sctlr = 0n): Core {
  const memory = createMemory([{ base: BASE, sizeBytes: 0x1_0000n }]);
  writePhysical(memory, BASE, 4, BigInt(branch));
  writeBytes(memory, TARGET, new Uint8Array(Uint32Array.of(word, NOP).buffer));
  writePhysical(memory, TABLE + 8n, 8, BLOCK | attributes);
  const core = createCore(max, memory, 0n);
  core.sysreg.TTBR0_EL2 = TABLE;
  core.sysreg.TCR_EL2 = 25n;
  core.sysreg.MAIR_EL2 = 0xffn;
  core.sysreg.VBAR_EL2 = BASE + 0x4000n;
  core.sysreg.SCTLR_EL2 = 1n | sctlr;
  core.pc = BASE;
  core.x[3] = TARGET;
  core.x[16] = TARGET;
  core.sp[2] = BASE;
  run(core, { budget: 2, gates: noGates });
  return core;
}

/** Exception class and syndrome, or where it went on. */
function outcome(core: Core): string {
  if (core.pc === TARGET + 4n) return "goes on";
  const esr = core.sysreg.ESR_EL2;
  return `ec ${(esr >> 26n).toString(16)} iss ${esr & 0x1ff_ffffn}`;
}

/** The Branch Target exception, with the BTYPE that was not accepted. */
const refused = (btype: number): string => `ec d iss ${btype}`;

describe("landing pads in a guarded page", () => {
  // BTYPE: 2 by BLR, 3 by BR, 1 by BR through X16 or X17, 0 by RET.
  const rows = [
    ["NOP", NOP, refused(2), refused(3), refused(1)],
    ["BTI", BTI, refused(2), refused(3), refused(1)],
    ["BTI c", BTI_C, "goes on", refused(3), "goes on"],
    ["BTI j", BTI_J, refused(2), "goes on", "goes on"],
    ["BTI jc", BTI_JC, "goes on", "goes on", "goes on"],
    ["PACIASP", PACIASP, "goes on", "goes on", "goes on"],
    ["PACIBSP", PACIBSP, "goes on", "goes on", "goes on"],
  ] as const;

  it.each(rows)("%s", (_name, word, byBlr, byBr, byBrX16) => {
    expect(outcome(branchTo(BLR_X3, word))).toBe(byBlr);
    expect(outcome(branchTo(BR_X3, word))).toBe(byBr);
    expect(outcome(branchTo(BR_X16, word))).toBe(byBrX16);
    expect(outcome(branchTo(RET_X3, word))).toBe("goes on");
    for (const branch of [BLR_X3, BR_X3, BR_X16])
      expect(outcome(branchTo(branch, word, 0n))).toBe("goes on");
  });

  it("SCTLR_EL2.BT takes BTYPE 11 away from PACIASP", () => {
    const BT = 1n << 36n;
    expect(outcome(branchTo(BR_X3, PACIASP, GUARDED, BT))).toBe(refused(3));
    expect(outcome(branchTo(BLR_X3, PACIASP, GUARDED, BT))).toBe("goes on");
  });

  it("BRK and HLT are themselves: a breakpoint, and undefined", () => {
    expect(outcome(branchTo(BLR_X3, BRK))).toBe("ec 3c iss 0");
    expect(outcome(branchTo(BLR_X3, HLT))).toBe("ec 0 iss 0");
  });

  it("the exception returns to the target, with its BTYPE in SPSR", () => {
    const core = branchTo(BLR_X3, NOP);
    expect(core.sysreg.ELR_EL2).toBe(TARGET);
    expect((core.sysreg.SPSR_EL2 >> 10n) & 3n).toBe(2n);
    expect([core.pstate.BTYPE, core.x[30]]).toEqual([0, BASE + 4n]);
  });

  it("BR out of a page that is not guarded has BTYPE 01", () => {
    // The next gigabyte is the same memory, not guarded: the branch is there, the target here.
    const core = branchTo(BTI_J, BTI_J);
    writePhysical(core.memory, TABLE + 16n, 8, BLOCK);
    writePhysical(core.memory, BASE, 4, BigInt(BR_X3));
    writePhysical(core.memory, TARGET, 4, BigInt(BTI_C));
    core.pc = 0x8000_0000n;
    run(core, { budget: 2, gates: noGates });
    expect(outcome(core)).toBe("goes on");
  });
});
