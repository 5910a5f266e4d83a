// Gates stop a run that goes in single steps as they stop one that goes by pages.

import { describe, expect, it } from "vitest";
import { createCore, type Gates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes } from "../../../cpu/memory.ts";
import type { Core, El } from "../../../cpu/state.ts";

const BASE = 0x4000_0000n;
const NOP = 0xd503_201f;

function coreAt(el: El): Core {
  const memory = createMemory([{ base: BASE, sizeBytes: 0x4000n }]);
  writeBytes(memory, BASE, new Uint8Array(Uint32Array.from([NOP, NOP, NOP, NOP]).buffer));
  const core = createCore(max, memory, 0n);
  Object.assign(core.pstate, { EL: el, SP: el === 0 ? 0 : 1 });
  core.sysreg.HCR_EL2 = 1n << 31n;
  core.pc = BASE;
  return core;
}

const only = (el: 1 | 2): Gates => {
  const [here, nowhere] = [new Set([BASE + 8n]), new Set<bigint>()];
  return el === 1 ? { el1: here, el2: nowhere } : { el1: nowhere, el2: here };
};

/** What makes a run go in steps. */
const ways: readonly (readonly [string, (core: Core) => object])[] = [
  ["while traced", () => ({ trace: () => {} })],
  [
    "with an interrupt that waits",
    (core) => {
      core.pending.irq = true;
      Object.assign(core.pstate, { A: 1, I: 1, F: 1 });
      return {};
    },
  ],
];

describe.each(ways)("gates %s", (_name, prepare) => {
  it.each([1, 2] as const)("of EL%i stop at EL%i", (el) => {
    const core = coreAt(el);
    const options = { budget: 9, gates: only(el), ...prepare(core) };
    expect(run(core, options)).toEqual({ kind: "gate", el, address: BASE + 8n });
    expect(core.retired).toBe(2);
  });

  it.each([
    [1, 2],
    [2, 1],
    [0, 1],
  ] as const)("do not stop EL%i at a gate of EL%i", (el, gate) => {
    const core = coreAt(el);
    const options = { budget: 4, gates: only(gate), ...prepare(core) };
    expect(run(core, options)).toEqual({ kind: "budget" });
    expect(core.pc).toBe(BASE + 16n);
  });
});
