// Barriers, CLREX, the PSTATE fields, and the flag conversions.

import { describe, expect, it } from "vitest";
import { noGates, run } from "../../../../cpu/core.ts";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { checkRows, DATA, prepared } from "../instruction-rows.ts";

const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("barriers", () => {
  checkRows([
    ["dsb sy", 0xd5033f9f, {}, {}],
    ["dsb ish", 0xd5033b9f, {}, {}],
    ["dmb ishst", 0xd5033abf, {}, {}],
    ["isb", 0xd5033fdf, {}, {}],
    ["sb", 0xd50330ff, {}, {}],
    ["(sb without FEAT_SB)", 0xd503_30ff, { model: cortexA76 }, UNDEFINED],
    ["(barrier with op2 = 001)", 0xd503_303f, {}, UNDEFINED],
  ]);

  it("clrex forgets the mark", () => {
    const core = prepared(0xd503_3f5f, { exclusive: [DATA, 8] });
    run(core, { budget: 1, gates: noGates });
    expect(core.exclusive).toBeUndefined();
  });
});

describe("MSR (immediate)", () => {
  const fields = [
    ["msr daifset, #15", 0xd503_4fdf, { D: 1, A: 1, I: 1, F: 1 }],
    ["msr daifclr, #2", 0xd503_42ff, { D: 1, A: 1, I: 0, F: 1 }],
    ["msr spsel, #0", 0xd500_40bf, { SP: 0 }],
    ["msr pan, #1", 0xd500_419f, { PAN: 1 }],
    ["msr uao, #1", 0xd500_417f, { UAO: 1 }],
    ["msr dit, #1", 0xd503_415f, { DIT: 1 }],
    ["msr ssbs, #1", 0xd503_413f, { SSBS: 1 }],
    ["msr tco, #1", 0xd503_419f, { TCO: 1 }],
  ] as const;

  it.each(fields)("%s", (_name, word, after) => {
    const core = prepared(word, {});
    run(core, { budget: 1, gates: noGates });
    expect(core.pstate).toMatchObject(after);
    expect(core.pc).toBe(0x4000_0004n);
  });

  checkRows([
    ["(op1 = 0, op2 = 6)", 0xd500_40df, {}, UNDEFINED],
    ["(spsel at EL0)", 0xd500_40bf, { el: 0 }, { exception: { el: 1, ec: 0, iss: 0 } }],
  ]);
});

describe("flag conversions", () => {
  checkRows([
    ["cfinv", 0xd500401f, { nzcv: "NC" }, { nzcv: "N" }],
    ["cfinv", 0xd500401f, { nzcv: "" }, { nzcv: "C" }],
    // Arm's flags of a comparison: less N, equal ZC, greater C, unordered CV.
    ["axflag", 0xd500405f, { nzcv: "N" }, { nzcv: "" }],
    ["axflag", 0xd500405f, { nzcv: "ZC" }, { nzcv: "ZC" }],
    ["axflag", 0xd500405f, { nzcv: "C" }, { nzcv: "C" }],
    ["axflag", 0xd500405f, { nzcv: "CV" }, { nzcv: "Z" }],
    // And back: less none, equal ZC, greater C, unordered Z.
    ["xaflag", 0xd500403f, { nzcv: "" }, { nzcv: "N" }],
    ["xaflag", 0xd500403f, { nzcv: "ZC" }, { nzcv: "ZC" }],
    ["xaflag", 0xd500403f, { nzcv: "C" }, { nzcv: "C" }],
    ["xaflag", 0xd500403f, { nzcv: "Z" }, { nzcv: "CV" }],
  ]);
});
