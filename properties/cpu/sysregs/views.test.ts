// Registers that show something else than what they keep: stack pointers, counts, reserved space.

import { describe, expect, test } from "vitest";
import { cortexA76, max } from "../../../cpu/cpu-model.ts";
import { machine, set } from "../mmu/machine.ts";
import { mrs, msr, outcome } from "./by-name.ts";

const [RW, TGE, E2H] = [1n << 31n, 1n << 27n, 1n << 34n];

describe("stack pointers by name", () => {
  test("SP_EL0 is written and read where it is not the one in use", () => {
    for (const el of [1, 2] as const) {
      const core = machine({ el });
      expect(msr(core, "SP_EL0", 0x1234n)).toBeUndefined();
      expect([...core.sp]).toEqual([0x1234n, 0n, 0n]);
      expect(mrs(core, "SP_EL0")).toBe(0x1234n);
      core.pstate.SP = 0;
      expect(outcome(msr(core, "SP_EL0", 1n))).toBe(`UNDEF@EL${el}`);
    }
  });

  test("SP_EL1 belongs to EL2", () => {
    const core = machine({ el: 2 });
    expect(msr(core, "SP_EL1", 0x5678n)).toBeUndefined();
    expect([...core.sp]).toEqual([0n, 0x5678n, 0n]);
    expect(mrs(core, "SP_EL1")).toBe(0x5678n);
    expect(outcome(mrs(machine({ el: 1 }), "SP_EL1"))).toBe("UNDEF@EL1");
  });
});

describe("CNTVCT_EL0", () => {
  // DDI0487 D24.10.31: the offset does not count at EL2 with E2H, nor at EL0 under E2H and TGE.
  test.each([
    ["EL0", 0, RW, 30n],
    ["EL1", 1, RW, 30n],
    ["EL2", 2, RW, 30n],
    ["EL2 with E2H", 2, RW | E2H, 100n],
    ["EL2 with E2H and TGE", 2, RW | E2H | TGE, 100n],
    ["EL1 with E2H", 1, RW | E2H, 30n],
    ["EL0 with E2H", 0, RW | E2H, 30n],
    ["EL0 with E2H and TGE", 0, RW | E2H | TGE, 100n],
  ] as const)("at %s", (_name, el, hcr, expected) => {
    const core = machine({ el });
    // CNTKCTL_EL1 and CNTHCTL_EL2 let EL0 read both counters.
    set(core, { HCR_EL2: hcr, CNTVOFF_EL2: 70n, CNTKCTL_EL1: 3n, CNTHCTL_EL2: 0xc03n });
    core.counterBase = 100n - BigInt(core.retired);
    expect(mrs(core, "CNTVCT_EL0")).toBe(expected);
  });
});

describe("the space of identification registers", () => {
  const models = [
    [cortexA76, "UNDEF"],
    [max, "trap"],
  ] as const;

  test.each(models)("$name: reserved encodings with CRm 1 to 7 read as zero", (cpuModel) => {
    for (const el of [1, 2] as const) {
      const core = machine({ el, cpuModel });
      for (const name of ["S3_0_C0_C7_7", "S3_0_C0_C4_6"])
        expect([name, mrs(core, name)]).toEqual([name, 0n]);
    }
  });

  // FEAT_IDST reports what is not there in this space, and in no other, as a trapped read.
  test.each(models)("$name: those with CRm 0, or another op1, are not there", (cpuModel, how) => {
    for (const el of [1, 2] as const) {
      const core = machine({ el, cpuModel });
      for (const name of ["S3_0_C0_C0_1", "S3_0_C0_C0_3", "S3_1_C0_C4_1"])
        expect([name, outcome(mrs(core, name))]).toEqual([name, `${how}@EL${el}`]);
      expect(outcome(mrs(core, "S3_0_C0_C8_0"))).toBe(`UNDEF@EL${el}`);
    }
  });
});

describe("PSTATE as registers", () => {
  // DDI0487 C5.2: the bit of each field in the register that shows it.
  test.each([
    ["DAIF", "D", 9],
    ["DAIF", "A", 8],
    ["DAIF", "I", 7],
    ["DAIF", "F", 6],
    ["NZCV", "N", 31],
    ["NZCV", "Z", 30],
    ["NZCV", "C", 29],
    ["NZCV", "V", 28],
    ["PAN", "PAN", 22],
    ["UAO", "UAO", 23],
    ["DIT", "DIT", 24],
    ["TCO", "TCO", 25],
    ["SSBS", "SSBS", 12],
    ["SPSel", "SP", 0],
  ] as const)("%s shows PSTATE.%s at bit %i, and writes it there", (name, field, bit) => {
    const core = machine({ el: 1 });
    const zero = Object.keys(core.pstate).filter((each) => each !== "EL");
    Object.assign(core.pstate, Object.fromEntries(zero.map((each) => [each, 0])), { [field]: 1 });
    expect(mrs(core, name)).toBe(1n << BigInt(bit));
    expect(msr(core, name, 0n)).toBeUndefined();
    expect(core.pstate[field]).toBe(0);
    expect(msr(core, name, 1n << BigInt(bit))).toBeUndefined();
    const changed = zero.filter((each) => core.pstate[each as typeof field] !== 0);
    expect(changed).toEqual([field]);
  });
});
