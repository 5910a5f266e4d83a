// Running a page at a time gives what single steps give: state, count and stop.

import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { encode } from "../../../cpu/bits/encoding.ts";
import { createCore, forkCores, type Gates, noGates, run, type Stop } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { entries } from "../../../cpu/isa/entries.ts";
import { createMemory, readBytes, writeBytes } from "../../../cpu/memory.ts";
import type { Core } from "../../../cpu/state.ts";

const BASE = 0x4000_0000n;
const SIZE_BYTES = 0x3000n;
const LAST_PAGE = BASE + 0x1000n;
const seed = 77;

/** Words of any entry, so that most programs go on for a while, and branches mostly nearby. */
const anyWord = fc
  .tuple(fc.constantFrom(...entries), fc.infiniteStream(fc.nat(31)))
  .map(([entry, numbers]) => {
    const values = entry.encoding.fields.map(({ name, width }) => {
      const small = numbers.next().value ?? 0;
      return [name, /^imm(14|19|26)$/.test(name) ? (small - 12) & (2 ** width - 1) : small];
    });
    return encode(entry.encoding, Object.fromEntries(values));
  });

const program = fc.array(anyWord, { minLength: 20, maxLength: 60 });

function machine(words: readonly number[], x: readonly bigint[]): Core {
  const memory = createMemory([{ base: BASE, sizeBytes: SIZE_BYTES }]);
  const core = createCore(max, memory, 0n);
  // The program runs over the boundary between two pages.
  const at = LAST_PAGE - BigInt(4 * Math.floor(words.length / 2));
  writeBytes(memory, at, new Uint8Array(Uint32Array.from(words).buffer));
  core.pc = at;
  core.sysreg.VBAR_EL2 = BASE + 0x800n;
  core.sysreg.VBAR_EL1 = BASE + 0x2000n;
  x.forEach((value, n) => {
    core.x[n] = value;
  });
  core.sp.fill(BASE + 0x2800n);
  return core;
}

const hex = (value: bigint): string => value.toString(16);

function stateOf(core: Core, stop: Stop) {
  return {
    stop,
    x: Array.from(core.x, hex),
    sp: Array.from(core.sp, hex),
    pc: hex(core.pc),
    pstate: { ...core.pstate },
    sysreg: Array.from(core.sysreg.values, hex).join(" "),
    memory: Buffer.from(readBytes(core.memory, BASE, Number(SIZE_BYTES))!).toString("base64"),
    exclusive: core.exclusive,
    retired: core.retired,
  };
}

/** Steps of one instruction each, until the same budget is used up or something else stops it. */
function runInSteps(core: Core, budget: number, gates: Gates): Stop {
  for (let left = budget; left > 0; left--) {
    const stop = run(core, { budget: 1, gates });
    if (stop.kind !== "budget") return stop;
  }
  return { kind: "budget" };
}

/** Registers that are addresses in the program's own pages, or small numbers. */
const registers = fc.array(
  fc.oneof(
    fc.nat(0x2ff8).map((offset) => BASE + BigInt(offset & ~7)),
    fc.bigInt({ min: 0n, max: 40n }),
    fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }),
  ),
  { minLength: 31, maxLength: 31 },
);

describe("run", () => {
  it("a page at a time, in steps, and traced: always the same", () => {
    let longest = 0;
    const property = fc.property(program, registers, fc.nat(59), (words, x, gate) => {
      const gates = { ...noGates, el2: new Set([LAST_PAGE + BigInt(4 * gate)]) };
      const first = machine(words, x);
      const [second, third] = [forkCores([first])[0]!, forkCores([first])[0]!];
      const whole = stateOf(first, run(first, { budget: 100, gates }));
      expect(stateOf(second, runInSteps(second, 100, gates))).toEqual(whole);
      let traced = 0;
      const trace = (): void => {
        traced++;
      };
      expect(stateOf(third, run(third, { budget: 100, gates, trace }))).toEqual(whole);
      expect(traced).toBeLessThanOrEqual(100);
      longest = Math.max(longest, first.retired);
    });
    fc.assert(property, { seed, numRuns: 300 });
    expect(longest).toBe(100);
  });
});
