// The machine on which the single-instruction vectors were recorded, set up for one of them.

import { createCore } from "../../cpu/core.ts";
import { max } from "../../cpu/cpu-model.ts";
import { createMemory, forkMemory, type Memory, writeBytes } from "../../cpu/memory.ts";
import type { Core } from "../../cpu/state.ts";
import type { Input } from "./vector.ts";

/** The data window, refilled before every vector. */
export const WINDOW = { base: 0x4800_0000n, sizeBytes: 0x8000 };
const RAM = { base: 0x4000_0000n, sizeBytes: 0xc000_0000n };
const BRK = 0xd420_0000;
const VBAR = 0x4010_0000n;
const PATTERN_MULTIPLIER = 0x9e37_79b9_7f4a_7c15n;
const PAGE = 4096n;

/** Levels without EL3: what SCR_EL3 would allow, is allowed. */
const HCR = { plain: 0x0100_0300_8000_0000n, TGE: 1n << 27n };
const SCTLR_EL1 = 0x30d0_0800n;
const SCTLR_EL2 = 0x30c5_0830n;

/** What the window holds before each vector. */
export function windowBytes(): Uint8Array {
  const values = new BigUint64Array(WINDOW.sizeBytes / 8);
  for (let j = 0; j < values.length / 2; j++) {
    values[2 * j] = BigInt.asUintN(64, BigInt(j + 1) * PATTERN_MULTIPLIER);
    values[2 * j + 1] = BigInt(j);
  }
  return new Uint8Array(values.buffer);
}

/** The page of the data region of the translation sets that holds an address. */
function patternPage(pa: bigint): { base: bigint; bytes: Uint8Array } {
  const base = pa - (pa % PAGE);
  const values = BigUint64Array.from({ length: Number(PAGE) / 8 }, (_, i) =>
    BigInt.asUintN(64, (base + BigInt(8 * i)) * PATTERN_MULTIPLIER),
  );
  return { base, bytes: new Uint8Array(values.buffer) };
}

/** A machine that the vectors of one set start from; it is forked for each. */
export interface Machine {
  readonly memory: Memory;
}

/** The machine with its window, and with the translation tables of the set, if it has some. */
export function createMachine(tables?: { base: bigint; bytes: Uint8Array }): Machine {
  const memory = createMemory([RAM]);
  writeBytes(memory, WINDOW.base, windowBytes());
  if (tables !== undefined) writeBytes(memory, tables.base, tables.bytes);
  return { memory };
}

/** A core about to execute the instruction of a vector. */
export function prepare(machine: Machine, vector: Input): Core {
  const core = createCore(max, forkMemory(machine.memory), 0n);
  const { memory, sysreg, pstate } = core;
  writeBytes(memory, vector.pre.pc, wordsOf([vector.op, BRK, BRK, BRK]));
  if (vector.pa !== undefined) {
    const page = patternPage(vector.pa);
    writeBytes(memory, page.base, page.bytes);
  }
  sysreg.HCR_EL2 = HCR.plain | (vector.el === "EL0t" ? HCR.TGE : 0n);
  sysreg.SCTLR_EL1 = SCTLR_EL1;
  sysreg.SCTLR_EL2 = SCTLR_EL2;
  sysreg.CPACR_EL1 = 0x30_0000n;
  sysreg.CPTR_EL2 = 0n;
  sysreg.VBAR_EL1 = VBAR;
  sysreg.VBAR_EL2 = VBAR;
  translate(core, vector.config);
  vector.pre.x.forEach((value, n) => {
    core.x[n] = value;
  });
  core.sp.fill(vector.pre.sp);
  core.pc = vector.pre.pc;
  const { nzcv, daif } = vector.pre;
  Object.assign(pstate, {
    N: (nzcv >> 3) & 1,
    Z: (nzcv >> 2) & 1,
    C: (nzcv >> 1) & 1,
    V: nzcv & 1,
    D: (daif >> 3) & 1,
    A: (daif >> 2) & 1,
    I: (daif >> 1) & 1,
    F: daif & 1,
    EL: Number(vector.el[2]),
    SP: vector.el[3] === "h" ? 1 : 0,
  });
  return core;
}

function translate(core: Core, config: Input["config"]): void {
  if (config === undefined) return;
  const { sysreg } = core;
  sysreg.SCTLR_EL1 = config.sctlr_el1;
  sysreg.TCR_EL1 = config.tcr_el1;
  sysreg.TTBR0_EL1 = config.ttbr0_el1;
  sysreg.TTBR1_EL1 = config.ttbr1_el1;
  sysreg.MAIR_EL1 = config.mair_el1;
  sysreg.VTCR_EL2 = config.vtcr_el2;
  sysreg.VTTBR_EL2 = config.vttbr_el2;
  sysreg.HCR_EL2 = config.hcr_el2;
}

const wordsOf = (words: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(words).buffer);
