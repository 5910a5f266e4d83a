// What a result of the harness means: the instruction completed, or which exception it took.

import type { RawResult } from "./batch-format.ts";
import type { ObservedRegister } from "./observed-registers.ts";
import { comparedSpsr, type Outcome, type TakenException, type Vector } from "./vector.ts";

const EC_SOFTWARE_STEP = [0x32, 0x33];
const EC_BRK = 0x3c;

/** ELR, SPSR and ESR of an exception's target are part of the exception. */
const SYNDROMES = { 1: ["ESR_EL1", "ELR_EL1", "SPSR_EL1"], 2: ["ESR_EL2"] } as const;

/** The offset of an EL1 vector, if the PC is at the start of one. */
function el1Offset(pc: bigint, vbar: bigint): number | undefined {
  const offset = pc - vbar;
  const isVector = offset >= 0n && offset < 0x800n && offset % 0x80n === 0n;
  return isVector ? Number(offset) : undefined;
}

function exceptionAtEl1(offset: number, after: (name: string) => bigint): TakenException {
  const spsr = comparedSpsr(after("SPSR_EL1"));
  return { target: 1, offset, esr: Number(after("ESR_EL1")), elr: after("ELR_EL1"), spsr };
}

/**
 * Whether the step went as it should, or ended at the BRK behind an instruction that stopped it.
 */
function isCompleted(vector: Vector, raw: RawResult, ec: number): boolean {
  if (vector.mode !== "step") return false;
  if (EC_SOFTWARE_STEP.includes(ec)) return true;
  return ec === EC_BRK && raw.elr === vector.pc + 4n;
}

/** The meaning of one result; `before` has the values of all observed registers before it. */
export function readOutcome(
  vector: Vector,
  raw: RawResult,
  registers: readonly ObservedRegister[],
  before: (name: string) => bigint,
): Outcome {
  const changed = new Map(raw.registers.map(([i, value]) => [registers[Number(i)]!.name, value]));
  const after = (name: string) => changed.get(name) ?? before(name);
  const esr = Number(after("ESR_EL2"));
  const state = { x: raw.x, sp: raw.sp, memory: raw.memory, tags: raw.tags };
  const drop = (target: 1 | 2) => {
    for (const name of SYNDROMES[target]) changed.delete(name);
  };
  drop(2);
  if (!isCompleted(vector, raw, esr >>> 26)) {
    const offset = 0x80 * raw.vector;
    const exception = { target: 2, offset, esr, elr: raw.elr, spsr: raw.spsr } as const;
    const pc = before("VBAR_EL2") + BigInt(offset);
    return { ...state, pc, pstate: raw.pstate, exception, settings: changed };
  }
  const offset = el1Offset(raw.elr, after("VBAR_EL1"));
  const taken = offset !== undefined && (raw.spsr & 15) === 5;
  const exception = taken ? exceptionAtEl1(offset, after) : undefined;
  if (taken) drop(1);
  return { ...state, pc: raw.elr, pstate: raw.spsr, exception, settings: changed };
}
