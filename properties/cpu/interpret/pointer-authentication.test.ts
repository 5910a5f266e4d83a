// Pointer authentication: the cipher, where the code goes, and what a wrong one does.

import { describe, expect, it } from "vitest";
import { createCore, noGates, run } from "../../../cpu/core.ts";
import { type CpuModel, max } from "../../../cpu/cpu-model.ts";
import { pauthFunctions } from "../../../cpu/interpret/functions/pointer-authentication.ts";
import { computePAC } from "../../../cpu/interpret/functions/qarma5.ts";
import { createMemory, writePhysical } from "../../../cpu/memory.ts";
import type { Core, El } from "../../../cpu/state.ts";

const { AddPACIA, AddPACDB, AuthIA, AuthIB, AuthDA, AuthDB, AddPACGA, Strip } = pauthFunctions;

const first: CpuModel = {
  ...max,
  features: { ...max.features, PAuth2: false, FPAC: false, FPACCOMBINE: false },
};
const second: CpuModel = { ...max, features: { ...first.features, PAuth2: true } };
const faultingAlone: CpuModel = { ...max, features: { ...second.features, FPAC: true } };

const KEYS = [
  ["APIAKeyHi_EL1", 0x84be_85ce_9804_e94bn],
  ["APIAKeyLo_EL1", 0xec28_02d4_e0a4_88e9n],
  ["APIBKeyLo_EL1", 2n],
  ["APDAKeyLo_EL1", 3n],
  ["APDBKeyHi_EL1", 4n],
] as const;
/** EnIA, EnIB, EnDA, EnDB. */
const ENABLES = (1n << 31n) | (1n << 30n) | (1n << 27n) | (1n << 13n);
/** T0SZ = T1SZ = 25: addresses of 39 bits. */
const TCR = (25n << 16n) | 25n;
const LOW = 0x40_1234_5678n;
const HIGH = 0xffff_ffc0_1234_5678n;
/** Bits 54 to 39, and 63 to 56. */
const CODE = 0xff7f_ff80_0000_0000n;

function coreOf(model: CpuModel, el: El, tcr = TCR): Core {
  const core = createCore(model, createMemory([]), 0n);
  for (const [name, value] of KEYS) core.sysreg[name] = value;
  core.sysreg.SCTLR_EL1 = ENABLES;
  core.sysreg.SCTLR_EL2 = ENABLES;
  core.sysreg.TCR_EL1 = tcr;
  core.sysreg.TCR_EL2 = 25n;
  core.sysreg.HCR_EL2 = 1n << 41n; // API
  core.pstate.EL = el;
  return core;
}

const codeOf = (address: bigint, modifier: bigint): bigint =>
  computePAC(address, modifier, KEYS[0][1], KEYS[1][1]) & CODE;

describe("QARMA5", () => {
  it("gives the test vector of the paper (sigma 2, five rounds)", () => {
    const w0 = 0x84be_85ce_9804_e94bn;
    const k0 = 0xec28_02d4_e0a4_88e9n;
    const tweak = 0x477d_469d_ec0b_8762n;
    expect(computePAC(0xfb62_3599_da6e_8127n, tweak, w0, k0)).toBe(0xc003_b939_99b3_3765n);
  });
});

describe("signing", () => {
  it.each([first, second])("$name: a low address gets the code in its upper bits", (model) => {
    expect(AddPACIA(coreOf(model, 1), LOW, 7n)).toBe(LOW | codeOf(LOW, 7n));
  });

  it("a high address gets the code in place of its ones, or xored into them", () => {
    const code = codeOf(HIGH, 7n);
    expect(AddPACIA(coreOf(first, 1), HIGH, 7n)).toBe((HIGH & ~CODE) | code);
    expect(AddPACIA(coreOf(second, 1), HIGH, 7n)).toBe(HIGH ^ code);
  });

  it("bit 55 says which range it was, also where the top byte is ignored", () => {
    const tbi = coreOf(first, 1, TCR | (1n << 38n));
    const signed = AddPACIA(tbi, 0x12ff_ffc0_0000_0000n, 7n) as bigint;
    expect(signed >> 55n).toBe((0x12n << 1n) | 1n);
  });

  it("an address that is not canonical gets a code that does not authenticate", () => {
    const bad = LOW | (1n << 45n);
    const plain = (LOW & ~CODE) | codeOf(LOW, 7n);
    expect(AddPACIA(coreOf(first, 1), bad, 7n)).toBe(plain ^ (1n << 62n));
    expect(AddPACIA(coreOf(second, 1), bad, 7n)).toBe(plain ^ (1n << 45n));
  });

  it("at EL2 there is one range, of TCR_EL2", () => {
    expect(AddPACIA(coreOf(first, 2), LOW, 7n)).toBe(LOW | codeOf(LOW, 7n));
  });
});

describe("authenticating", () => {
  const models = [first, second, faultingAlone, max];

  it.each([LOW, HIGH])("gives back %s, signed on any processor", (address) => {
    for (const model of models)
      for (const el of [0, 1] as const) {
        const core = coreOf(model, el);
        const signed = AddPACIA(core, address, 9n) as bigint;
        expect(AuthIA(core, signed, 9n, 0)).toBe(address);
      }
  });

  it("a wrong code leaves the number of the key in bits 62 and 61: 01 for A, 10 for B", () => {
    const core = coreOf(first, 1);
    const wrong = (AddPACIA(core, LOW, 9n) as bigint) ^ (1n << 50n);
    expect(AuthIA(core, wrong, 9n, 0)).toBe(LOW | (1n << 61n));
    expect(AuthIB(core, wrong, 9n, 0)).toBe(LOW | (1n << 62n));
  });

  it("and in bits 54 and 53 where the top byte is ignored", () => {
    const core = coreOf(first, 1, TCR | (1n << 37n));
    const top = 0xabn << 56n;
    expect(AuthDA(core, LOW | top | (1n << 50n), 9n, 0)).toBe(LOW | top | (1n << 53n));
    expect(AuthDB(core, LOW | top | (1n << 50n), 9n, 0)).toBe(LOW | top | (1n << 54n));
  });

  it("with FEAT_PAuth2 the wrong bits stay", () => {
    const core = coreOf(second, 1);
    const wrong = (AddPACIA(core, HIGH, 9n) as bigint) ^ (1n << 50n);
    expect(AuthIA(core, wrong, 9n, 0)).toBe(HIGH ^ (1n << 50n));
  });

  it("with FEAT_FPAC it is an exception, in a combined instruction with FEAT_FPACCOMBINE", () => {
    const wrong = LOW | (1n << 50n);
    const faults = [AuthIA, AuthIB, AuthDA, AuthDB].map((f) => f(coreOf(max, 1), wrong, 9n, 1));
    const expected = [0, 1, 2, 3].map((iss) => ({ ec: 0x1c, iss, target: 1 }));
    expect(faults).toMatchObject(expected);
    expect(AuthIA(coreOf(faultingAlone, 1), wrong, 9n, 0)).toMatchObject({ ec: 0x1c });
    expect(typeof AuthIA(coreOf(faultingAlone, 1), wrong, 9n, 1)).toBe("bigint");
    expect(AuthIA(coreOf(max, 2), wrong, 9n, 0)).toMatchObject({ ec: 0x1c, target: 2 });
  });
});

describe("ERETAA and ERETAB", () => {
  const ERETAA = 0xd69f_0bff;
  const ERETAB = 0xd69f_0fff;
  const EL2H_MASKED = 0x3c9n;

  const returned = (model: CpuModel, word: number): Core => {
    const memory = createMemory([{ base: 0x4000_0000n, sizeBytes: 0x1000n }]);
    const core = createCore(model, memory, 0n);
    writePhysical(memory, 0x4000_0000n, 4, BigInt(word));
    core.pc = 0x4000_0000n;
    Object.assign(core.sysreg, { SCTLR_EL2: ENABLES, TCR_EL2: 25n, VBAR_EL2: 0x4000_0800n });
    // The code of LOW under keys of zero is not zero, so this ELR does not authenticate.
    Object.assign(core.sysreg, { ELR_EL2: LOW, SPSR_EL2: EL2H_MASKED });
    run(core, { budget: 1, gates: noGates });
    return core;
  };

  it.each([ERETAA, ERETAB])("are combined: FEAT_FPAC alone makes %i no exception", (word) => {
    const core = returned(faultingAlone, word);
    expect(core.sysreg.ESR_EL2).toBe(0n);
    expect(core.pc & ~CODE).toBe(LOW);
    expect(core.pc).not.toBe(LOW);
  });

  it.each([
    [ERETAA, 0n],
    [ERETAB, 1n],
  ])("with FEAT_FPACCOMBINE %i is one", (word, key) => {
    const core = returned(max, word);
    // EC 1c, IL, and in ISS bit 0 whether it was a B key.
    expect(core.sysreg.ESR_EL2).toBe((0x1cn << 26n) | (1n << 25n) | key);
    expect(core.pc).toBe(0x4000_0800n + 0x200n);
  });
});

describe("controls", () => {
  it("a disabled key does nothing, whatever traps", () => {
    const core = coreOf(max, 1);
    core.sysreg.SCTLR_EL1 = 0n;
    core.sysreg.HCR_EL2 = 0n;
    expect(AddPACIA(core, LOW, 1n)).toBe(LOW);
    expect(AuthIA(core, LOW | CODE, 1n, 1)).toBe(LOW | CODE);
  });

  it("HCR_EL2.API traps an enabled key from EL1 and EL0, and PACGA always", () => {
    for (const el of [0, 1] as const) {
      const core = coreOf(max, el);
      core.sysreg.HCR_EL2 = 0n;
      expect(AddPACDB(core, LOW, 1n)).toMatchObject({ ec: 9, target: 2, iss: 0 });
      expect(AddPACGA(core, LOW, 1n)).toMatchObject({ ec: 9, target: 2 });
    }
    const own = coreOf(max, 2);
    own.sysreg.HCR_EL2 = 0n;
    expect(typeof AddPACGA(own, LOW, 1n)).toBe("bigint");
  });

  it("stripping needs neither key nor trap", () => {
    const core = coreOf(max, 1);
    core.sysreg.SCTLR_EL1 = 0n;
    core.sysreg.HCR_EL2 = 0n;
    expect(Strip(core, LOW | CODE, 0)).toBe(LOW);
    expect(Strip(core, LOW | (1n << 55n), 0)).toBe(
      (LOW | ~0x7f_ffff_ffffn) & 0xffff_ffff_ffff_ffffn,
    );
  });
});
