// Examples of instructions as rows: assembly, word, what is set before, and all that changed.

import { expect, it } from "vitest";
import { createCore, noGates, run } from "../../../cpu/core.ts";
import { type CpuModel, max } from "../../../cpu/cpu-model.ts";
import { createMemory, readPhysical, writePhysical } from "../../../cpu/memory.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";

/** Code is at this address, and every example is one instruction there. */
export const CODE = 0x4000_0000n;
/** Memory for examples that load and store. */
export const DATA = 0x4001_0000n;
const VBAR = 0x4002_0000n;
const SIZE_BYTES = 0x4_0000n;

type XName = `x${number}`;

/** A part of the state; before: what is set, the rest being zero; after: what has changed. */
export type Part = { readonly [n in XName]?: bigint } & {
  readonly sp?: bigint;
  readonly pc?: bigint;
  /** The condition flags that are set, as in "NC". */
  readonly nzcv?: string;
  /** PSTATE.BTYPE. */
  readonly btype?: number;
  /** Doublewords of memory by address. */
  readonly memory?: readonly (readonly [address: bigint, value: bigint])[];
  readonly sysreg?: Partial<Record<SysregName, bigint>>;
};

export interface Before extends Omit<Part, "pc"> {
  readonly el?: El;
  readonly model?: CpuModel;
  /** Marks an address for store-exclusive, as a load-exclusive of so many bytes does. */
  readonly exclusive?: readonly [address: bigint, sizeBytes: number];
}

/** The exception taken instead: its level, class and syndrome, and the address that it names. */
export interface Taken {
  readonly el: 1 | 2;
  readonly ec: number;
  readonly iss?: number;
  readonly far?: bigint;
}

export type After = Part & { readonly exception?: Taken; readonly stop?: string };

export type Row = readonly [assembly: string, word: number, before: Before, after: After];

function xOf(part: Part): (readonly [number, bigint])[] {
  return Object.entries(part).flatMap(([name, value]) =>
    /^x\d+$/.test(name) ? [[Number(name.slice(1)), value as bigint] as const] : [],
  );
}

/** A core that is about to execute one word. */
export function prepared(word: number, before: Before): Core {
  const memory = createMemory([{ base: CODE, sizeBytes: SIZE_BYTES }]);
  const core = createCore(before.model ?? max, memory, 0n);
  writePhysical(memory, CODE, 4, BigInt(word));
  for (const [address, value] of before.memory ?? []) writePhysical(memory, address, 8, value);
  core.sysreg.HCR_EL2 = 1n << 31n;
  core.sysreg.VBAR_EL1 = VBAR;
  core.sysreg.VBAR_EL2 = VBAR;
  Object.assign(core.sysreg, before.sysreg ?? {});
  const { el = 2, nzcv = "", btype = 0 } = before;
  for (const [n, value] of xOf(before)) core.x[n] = value;
  core.sp[el] = before.sp ?? 0n;
  core.pc = CODE;
  const flag = (name: string): number => (nzcv.includes(name) ? 1 : 0);
  const flags = { N: flag("N"), Z: flag("Z"), C: flag("C"), V: flag("V") };
  Object.assign(core.pstate, flags, { EL: el, SP: el === 0 ? 0 : 1, BTYPE: btype });
  if (before.exclusive !== undefined) {
    const [pa, sizeBytes] = before.exclusive;
    core.exclusive = { pa, sizeBytes };
  }
  return core;
}

/** Everything that an example can name, as text, so that a difference shows all of it. */
function stateOf(core: Core, el: El, addresses: readonly bigint[], names: readonly SysregName[]) {
  const { N, Z, C, V, BTYPE } = core.pstate;
  const hex = (value: bigint): string => `0x${value.toString(16)}`;
  return {
    x: Array.from(core.x, hex),
    sp: hex(core.sp[el] ?? 0n),
    pc: hex(core.pc),
    nzcv: `${N ? "N" : ""}${Z ? "Z" : ""}${C ? "C" : ""}${V ? "V" : ""}`,
    btype: BTYPE,
    memory: addresses.map((at) => [hex(at), hex(readPhysical(core.memory, at, 8) ?? 0n)]),
    sysreg: names.map((name) => [name, hex(core.sysreg[name])]),
  };
}

/** Executes the word and compares the whole state with the one before, changed as `after` says. */
export function checkRow([assembly, word, before, after]: Row): void {
  const { el = 2 } = before;
  const core = prepared(word, before);
  const stop = run(core, { budget: 1, gates: noGates });
  expect(stop.kind, assembly).toBe(after.stop ?? "budget");
  if (after.exception !== undefined) checkException(core, after.exception);
  const addresses = [...(before.memory ?? []), ...(after.memory ?? [])].map(([at]) => at);
  const names = Object.keys({ ...before.sysreg, ...after.sysreg }) as SysregName[];
  const expected = prepared(word, before);
  for (const [n, value] of xOf(after)) expected.x[n] = value;
  expected.sp[el] = after.sp ?? before.sp ?? 0n;
  expected.pc = after.pc ?? (after.stop === undefined ? CODE + 4n : CODE);
  for (const [at, value] of after.memory ?? []) writePhysical(expected.memory, at, 8, value);
  Object.assign(expected.sysreg, after.sysreg ?? {});
  const state = stateOf(core, el, addresses, names);
  const nzcv = after.nzcv ?? before.nzcv ?? "";
  const wanted = { ...stateOf(expected, el, addresses, names), nzcv, btype: after.btype ?? 0 };
  if (after.exception !== undefined) wanted.pc = state.pc;
  expect(state, assembly).toEqual(wanted);
}

function checkException(core: Core, { el, ec, iss, far }: Taken): void {
  const { sysreg } = core;
  const [esr, address, elr] =
    el === 1
      ? [sysreg.ESR_EL1, sysreg.FAR_EL1, sysreg.ELR_EL1]
      : [sysreg.ESR_EL2, sysreg.FAR_EL2, sysreg.ELR_EL2];
  expect({ el: core.pstate.EL, ec: Number(esr >> 26n) }).toEqual({ el, ec });
  if (iss !== undefined) expect(Number(esr & 0x1ff_ffffn).toString(16)).toBe(iss.toString(16));
  if (far !== undefined) expect(address).toBe(far);
  expect(core.pc - (core.pc & 0x7ffn)).toBe(VBAR);
  expect(elr === CODE || elr === CODE + 4n).toBe(true);
}

/** One test for each row, named as its assembly. */
export function checkRows(rows: readonly Row[]): void {
  for (const row of rows) it(row[0], () => checkRow(row));
}
