// Executing a vector, and what differs between the recorded state and ours.

import { noGates, run, type Stop } from "../../cpu/core.ts";
import { readBytes } from "../../cpu/memory.ts";
import type { Core } from "../../cpu/state.ts";
import { type Machine, prepare, WINDOW, windowBytes } from "./machine.ts";
import type { Answer, Input } from "./vector.ts";

/** One part of the state that is not as recorded. */
export interface Difference {
  readonly part: string;
  readonly pre: string;
  readonly expected: string;
  readonly got: string;
}

const hex = (value: bigint | number): string => value.toString(16).padStart(8, "0");
const freshWindow = windowBytes();
const cleanWindow = Buffer.from(freshWindow);

/** The state after the instruction. */
export interface Executed {
  readonly core: Core;
  readonly stop: Stop;
}

export function execute(machine: Machine, vector: Input): Executed {
  const core = prepare(machine, vector);
  return { core, stop: run(core, { budget: 1, gates: noGates }) };
}

/** Everything in which the state after the instruction differs from an answer. */
export function differences(
  vector: Input,
  answer: Answer,
  { core, stop }: Executed,
): readonly Difference[] {
  const found: Difference[] = [];
  const compare = (
    part: string,
    pre: bigint | number,
    expected: bigint | number,
    got: bigint | number,
  ): void => {
    if (BigInt(expected) !== BigInt(got))
      found.push({ part, pre: hex(pre), expected: hex(expected), got: hex(got) });
  };
  if (stop.kind !== "budget") {
    const got = stop.kind === "unmodelled" ? `unmodelled: ${stop.what}` : stop.kind;
    found.push({ part: "stop", pre: "", expected: "executed", got });
    return found;
  }
  vector.pre.x.forEach((pre, n) => {
    compare(`x${n}`, pre, answer.post?.x?.[`${n}`] ?? pre, core.x[n] ?? 0n);
  });
  const sp = core.sp[vector.el === "EL1h" ? 1 : 0] ?? 0n;
  compare("sp", vector.pre.sp, answer.post?.sp ?? vector.pre.sp, sp);
  if (answer.exception === null) compareCompletion(vector, answer, core, compare);
  else compareException(vector, answer.exception, core, compare);
  compareMemory(vector, answer, core, compare);
  return found;
}

type Compare = (
  part: string,
  pre: bigint | number,
  expected: bigint | number,
  got: bigint | number,
) => void;

function compareCompletion(vector: Input, answer: Answer, core: Core, compare: Compare): void {
  const { pc, nzcv } = vector.pre;
  const { N, Z, C, V, EL } = core.pstate;
  compare("pc", pc, answer.post?.pc ?? pc + 4n, core.pc);
  compare("nzcv", nzcv, answer.post?.nzcv ?? nzcv, (N << 3) | (Z << 2) | (C << 1) | V);
  compare("el", Number(vector.el[2]), Number(vector.el[2]), EL);
}

/** Bits of SPSR that the recorders do not compare: SS and ALLINT. */
const spsrMask = ~((1n << 21n) | (1n << 13n));
/** Exception classes whose FAR was compared. */
const addressed = [0x20, 0x21, 0x22, 0x24, 0x25];

function compareException(
  vector: Input,
  expected: NonNullable<Answer["exception"]>,
  core: Core,
  compare: Compare,
): void {
  const target = Number(expected.target_el[2]);
  const { sysreg, pstate } = core;
  const one = target === 1;
  compare("target el", Number(vector.el[2]), target, pstate.EL);
  const vbar = one ? sysreg.VBAR_EL1 : sysreg.VBAR_EL2;
  compare("vector offset", 0, expected.vector_offset, core.pc - vbar);
  const mask = BigInt(expected.esr_mask ?? 0xffff_ffff);
  const esr = one ? sysreg.ESR_EL1 : sysreg.ESR_EL2;
  compare("esr", 0, BigInt(expected.esr) & mask, esr & mask);
  const far = one ? sysreg.FAR_EL1 : sysreg.FAR_EL2;
  if (expected.far !== null && addressed.includes(expected.esr >>> 26))
    compare("far", 0, expected.far, far);
  compare("elr", 0, expected.elr, one ? sysreg.ELR_EL1 : sysreg.ELR_EL2);
  const spsr = one ? sysreg.SPSR_EL1 : sysreg.SPSR_EL2;
  compare("spsr", 0, BigInt(expected.spsr) & spsrMask, spsr & spsrMask);
  if (typeof expected.hpfar === "bigint") compare("hpfar", 0, expected.hpfar, sysreg.HPFAR_EL2);
  compare("daif after", 0, 15, (pstate.D << 3) | (pstate.A << 2) | (pstate.I << 1) | pstate.F);
  compare("sp select after", 0, 1, pstate.SP);
}

/** Memory changed where the answer says so, and in no other byte of the window. */
function compareMemory(vector: Input, answer: Answer, core: Core, compare: Compare): void {
  const changed = Object.entries(answer.mem?.post ?? {});
  for (const [at, value] of changed) {
    const address = BigInt(`0x${at}`);
    const pre = answer.mem?.pre?.[at] ?? 0n;
    compare(`memory ${at}`, pre, value, doubleword(core, address));
  }
  if (vector.pa !== undefined)
    for (const [at, value] of Object.entries(answer.mem?.pre ?? {}))
      if (answer.mem?.post?.[at] === undefined)
        compare(`memory ${at}`, value, value, doubleword(core, BigInt(`0x${at}`)));
  const window = readBytes(core.memory, WINDOW.base, WINDOW.sizeBytes) ?? new Uint8Array();
  if (cleanWindow.equals(window)) return;
  const recorded = new Set(changed.map(([at]) => BigInt(`0x${at}`)));
  const [before, after] = [viewOf(freshWindow), viewOf(window)];
  for (let at = 0; at < WINDOW.sizeBytes; at += 8) {
    const address = WINDOW.base + BigInt(at);
    const pre = before.getBigUint64(at, true);
    if (!recorded.has(address))
      compare(`memory ${hex(address)}`, pre, pre, after.getBigUint64(at, true));
  }
}

const viewOf = (bytes: Uint8Array): DataView =>
  new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);

function doubleword(core: Core, address: bigint): bigint {
  const bytes = readBytes(core.memory, address, 8);
  return bytes === undefined ? 0n : viewOf(bytes).getBigUint64(0, true);
}
