// Running: gates, budgets, forks, and code that changes under the loop.

import { describe, expect, it } from "vitest";
import { createCore, forkCores, noGates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes } from "../../../cpu/memory.ts";
import type { Core } from "../../../cpu/state.ts";

const BASE = 0x4000_0000n;
const NOP = 0xd503_201f;
const ADD_X0_1 = 0x9100_0400;
const SUB_X0_1 = 0xd100_0400;
const STR_W1_X2 = 0xb900_0041;
const BR_X3 = 0xd61f_0060;
const BLR_X3 = 0xd63f_0060;
const B_BACK_2 = 0x17ff_fffe;

function coreWith(words: readonly number[], at = BASE): Core {
  const memory = createMemory([{ base: BASE, sizeBytes: 0x4000n }]);
  writeBytes(memory, at, new Uint8Array(Uint32Array.from(words).buffer));
  const core = createCore(max, memory, 0n);
  core.pc = at;
  core.sysreg.VBAR_EL2 = BASE + 0x3000n;
  return core;
}

const el2 = (...addresses: bigint[]) => ({ el1: new Set<bigint>(), el2: new Set(addresses) });

describe("gates", () => {
  it("stop before anything is fetched, at the start and on the way", () => {
    const core = coreWith([NOP, NOP, NOP]);
    const at = { kind: "gate", el: 2, address: BASE };
    expect(run(core, { budget: 9, gates: el2(BASE) })).toEqual(at);
    expect(core.retired).toBe(0);
    const later = { ...at, address: BASE + 8n };
    expect(run(core, { budget: 9, gates: el2(BASE + 8n) })).toEqual(later);
    expect(core.retired).toBe(2);
  });

  it("need no memory behind them", () => {
    const core = coreWith([BR_X3]);
    core.x[3] = 0x1234_5678n;
    const stop = run(core, { budget: 9, gates: el2(0x1234_5678n) });
    expect(stop).toEqual({ kind: "gate", el: 2, address: 0x1234_5678n });
  });

  it("are at their own Exception level", () => {
    const core = coreWith([NOP, NOP]);
    const gates = { el1: new Set([BASE]), el2: new Set<bigint>() };
    expect(run(core, { budget: 2, gates })).toEqual({ kind: "budget" });
  });

  it("stop at an exception vector", () => {
    const core = coreWith([0]);
    const vector = BASE + 0x3200n;
    const stop = run(core, { budget: 9, gates: el2(vector) });
    expect(stop).toEqual({ kind: "gate", el: 2, address: vector });
  });
});

describe("budget", () => {
  it("is counted in instructions, across pages and branches", () => {
    const core = coreWith([ADD_X0_1, B_BACK_2 + 1]);
    expect(run(core, { budget: 1001, gates: noGates })).toEqual({ kind: "budget" });
    expect([core.x[0], core.retired]).toEqual([501n, 1001]);
  });

  it("an exception taken instead of an instruction counts as one", () => {
    const core = coreWith([NOP]);
    core.pc = BASE + 2n;
    expect(run(core, { budget: 1, gates: noGates })).toEqual({ kind: "budget" });
    expect([core.pc, core.retired]).toEqual([BASE + 0x3200n, 1]);
  });

  it("an endless loop ends with it", () => {
    const core = coreWith([0x1400_0000]);
    expect(run(core, { budget: 100, gates: noGates })).toEqual({ kind: "budget" });
    expect(core.pc).toBe(BASE);
  });

  it("a fetch that faults again and again ends with it", () => {
    const core = coreWith([0]);
    core.sysreg.VBAR_EL2 = 0n;
    expect(run(core, { budget: 100, gates: noGates })).toEqual({ kind: "budget" });
  });
});

describe("code that changes", () => {
  /** Executes the word after the store, which the store replaces by another. */
  const program = [STR_W1_X2, ADD_X0_1];

  it("a store to the next instruction is seen", () => {
    const core = coreWith(program);
    core.x[1] = BigInt(SUB_X0_1);
    core.x[2] = BASE + 4n;
    run(core, { budget: 2, gates: noGates });
    expect(core.x[0]).toBe(0xffff_ffff_ffff_ffffn);
  });

  it("also where the page is shared with a fork, which keeps its own", () => {
    const core = coreWith(program);
    core.x[2] = BASE + 0x2000n;
    run(core, { budget: 2, gates: noGates });
    core.pc = BASE;
    const [fork] = forkCores([core]);
    core.x[1] = BigInt(SUB_X0_1);
    core.x[2] = BASE + 4n;
    run(core, { budget: 2, gates: noGates });
    run(fork!, { budget: 2, gates: noGates });
    expect([core.x[0], fork!.x[0]]).toEqual([0n, 2n]);
  });

  it("and through a loop that has run before", () => {
    // add; b back to it; the third word is the store.
    const core = coreWith([ADD_X0_1, STR_W1_X2, B_BACK_2]);
    core.x[1] = BigInt(ADD_X0_1);
    core.x[2] = BASE;
    run(core, { budget: 30, gates: noGates });
    core.x[1] = BigInt(SUB_X0_1);
    run(core, { budget: 30, gates: noGates });
    expect(core.x[0]).toBe(2n);
  });
});

describe("BTYPE", () => {
  it("matters in a guarded page only: here a call to any word goes on", () => {
    const core = coreWith([BLR_X3, NOP, ADD_X0_1]);
    core.x[3] = BASE + 8n;
    run(core, { budget: 2, gates: noGates });
    expect([core.x[0], core.pstate.BTYPE, core.x[30]]).toEqual([1n, 0, BASE + 4n]);
  });

  it("is saved with an exception at the target", () => {
    const core = coreWith([BLR_X3, 0]);
    core.x[3] = BASE + 4n;
    run(core, { budget: 2, gates: noGates });
    expect((core.sysreg.SPSR_EL2 >> 10n) & 3n).toBe(2n);
    expect(core.pstate.BTYPE).toBe(0);
  });
});
