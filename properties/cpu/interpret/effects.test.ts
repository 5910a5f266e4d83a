// The evaluator: all values come from the state before, and what fails commits nothing.

import { describe, expect, it } from "vitest";
import { add, eq, lit, Mem, PSTATE, SP, X, xor } from "../../../cpu/bits/bits.ts";
import { branch, type Effect, setPSTATE, setSP, setX, store } from "../../../cpu/bits/effects.ts";
import { createCore } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { generate, shapeCount } from "../../../cpu/interpret/generate.ts";
import { createMemory, readPhysical } from "../../../cpu/memory.ts";

const DATA = 0x4000_0000n;
const access = {
  unprivileged: false,
  ordered: false,
  atomic: false,
  alignBytes: 8,
  tagChecked: false,
  syndrome: 0,
};

function coreWith(x: readonly bigint[]) {
  const core = createCore(max, createMemory([{ base: DATA, sizeBytes: 0x1000n }]), 0n);
  x.forEach((value, n) => {
    core.x[n] = value;
  });
  return core;
}

function executed(x: readonly bigint[], effects: readonly Effect[]) {
  const core = coreWith(x);
  const outcome = generate(effects).execute(core);
  return { core, outcome, x: Array.from(core.x.slice(0, 4)) };
}

const at = (core: ReturnType<typeof coreWith>, address: bigint) =>
  readPhysical(core.memory, address, 8);

describe("effects", () => {
  it("registers are swapped, not copied", () => {
    const swap = [setX(0, X(1, 64)), setX(1, X(0, 64))];
    expect(executed([1n, 2n], swap).x.slice(0, 2)).toEqual([2n, 1n]);
  });

  it("flags, stack pointer and registers all read the state before", () => {
    const { core } = executed(
      [5n],
      [
        setPSTATE("Z", eq(X(0, 64), lit(5, 64))),
        setX(0, add(SP, lit(1, 64))),
        setSP(add(X(0, 64), lit(11, 64))),
        setPSTATE("C", PSTATE("Z")),
      ],
    );
    expect([core.x[0], core.sp[2], core.pstate.Z, core.pstate.C]).toEqual([1n, 16n, 1, 0]);
  });

  it("a store takes its value from before, and a load reads memory before the store", () => {
    const held = Mem(X(0, 64), 8, access);
    const { core, x } = executed(
      [DATA, 7n],
      [store(X(0, 64), add(held, X(1, 64)), access), setX(1, held)],
    );
    expect([at(core, DATA), x[1]]).toEqual([7n, 0n]);
  });

  it("a load that faults writes no register", () => {
    const { outcome, x } = executed(
      [1n, 2n],
      [setX(1, lit(9, 64)), setX(2, Mem(X(0, 64), 8, access))],
    );
    expect(outcome).toMatchObject({ ec: 0x25, far: 1n });
    expect(x.slice(0, 3)).toEqual([1n, 2n, 0n]);
  });

  it("of two stores neither happens where the second faults", () => {
    const stores = [store(X(0, 64), X(2, 64), access), store(X(1, 64), X(2, 64), access)];
    const { core, outcome } = executed(
      [DATA, DATA + 0x1000n, 9n],
      [...stores, setX(2, lit(0, 64))],
    );
    expect(outcome).toMatchObject({ ec: 0x25, far: DATA + 0x1000n });
    expect([at(core, DATA), core.x[2]]).toEqual([0n, 9n]);
  });

  it("a conditional store checks its address always, and writes where its condition is 1", () => {
    const cas = [store(X(0, 64), X(1, 64), access, eq(X(2, 64), lit(0, 64)))];
    expect(at(executed([DATA, 5n, 0n], cas).core, DATA)).toBe(5n);
    expect(at(executed([DATA, 5n, 1n], cas).core, DATA)).toBe(0n);
    expect(executed([0n, 5n, 1n], cas).outcome).toMatchObject({ ec: 0x25, far: 0n });
  });

  it("a direct branch is a distance, an indirect one is made", () => {
    const direct = [
      branch("DIR", add({ op: "PC", width: 64 }, lit(-8, 64)), eq(X(0, 64), X(1, 64))),
    ];
    expect(executed([1n, 1n], direct).outcome).toBe(-8);
    expect(executed([1n, 2n], direct).outcome).toBe(4);
    const { core, outcome } = executed([DATA], [branch("RET", X(0, 64))]);
    expect([core.pc, outcome]).toEqual([DATA, 1]);
  });

  it("a write to register 31 is discarded, but its load happens", () => {
    expect(executed([0n], [setX(31, Mem(X(0, 64), 8, access))]).outcome).toMatchObject({
      ec: 0x25,
    });
    expect(executed([DATA], [setX(31, Mem(X(0, 64), 8, access))]).outcome).toBe(4);
  });

  it("register numbers and immediates share one text", () => {
    const text = (d: number, n: number, imm: bigint) => [setX(d, xor(X(n, 64), lit(imm, 64)))];
    generate(text(1, 2, 3n));
    const count = shapeCount();
    expect(executed([0n, 6n], text(0, 1, 5n)).x[0]).toBe(3n);
    expect(shapeCount()).toBe(count);
  });
});
