// MRS, MSR and SYS by Arm's names, as tests use them.

import type { Exception, Unmodelled } from "../../../cpu/exceptions/exception.ts";
import type { Core } from "../../../cpu/state.ts";
import { readSysreg, writeSysreg } from "../../../cpu/sysregs/access.ts";
import { sysregRows } from "../../../cpu/sysregs/names.ts";
import { executeSys } from "../../../cpu/sysregs/system-instructions.ts";
import {
  cacheInstructions,
  predictionInstructions,
  tlbInstructions,
  translationInstructions,
} from "../../../cpu/sysregs/tables/system-instructions.ts";

type Five = [op0: number, op1: number, CRn: number, CRm: number, op2: number];

const registers = new Map<string, string>(sysregRows.map(([name, encoding]) => [name, encoding]));
const instructions = new Map<string, string>(
  [
    ...cacheInstructions,
    ...translationInstructions,
    ...predictionInstructions,
    ...tlbInstructions,
  ].map(([name, encoding]) => [name, encoding]),
);

/**
 * The encoding of a register by name; `_EL12` and `_EL02` are op1 5; `S3_4_C15_C2_1` is itself.
 */
export function encodingOf(name: string): Five {
  const generic = /^S(\d)_(\d)_C(\d+)_C(\d+)_(\d)$/.exec(name);
  if (generic !== null) return generic.slice(1).map(Number) as Five;
  const alias = /^(.*)_EL([10])2$/.exec(name);
  const text = registers.get(alias === null ? name : `${alias[1]}_EL${alias[2]}`);
  if (text === undefined) throw new Error(`no register ${name}`);
  const five = text.split(" ").map(Number) as Five;
  if (alias !== null) five[1] = 5;
  return five;
}

/** MRS X7, name. */
export function mrs(core: Core, name: string): bigint | Exception | Unmodelled {
  return readSysreg(core, ...encodingOf(name), 7);
}

/** MSR name, X7. */
export function msr(core: Core, name: string, value: bigint): Exception | Unmodelled | undefined {
  return writeSysreg(core, ...encodingOf(name), 7, value);
}

/** A system instruction with X7. */
export function sys(core: Core, name: string, value = 0n): Exception | Unmodelled | undefined {
  const text = instructions.get(name);
  if (text === undefined) throw new Error(`no instruction ${name}`);
  const [op1, CRn, CRm, op2] = text.split(" ").map(Number) as [number, number, number, number];
  return executeSys(core, op1, CRn, CRm, op2, 7, value);
}

/** What happened, in a word: the value, `UNDEF@ELx`, `trap@ELx`, another EC, or what is missing. */
export function outcome(result: bigint | Exception | Unmodelled | undefined): string {
  if (result === undefined) return "done";
  if (typeof result === "bigint") return result.toString(16);
  if (result.type === "unmodelled") return `unmodelled ${result.what}`;
  if (result.ec === 0) return `UNDEF@EL${result.target}`;
  return `${result.ec === 0x18 ? "trap" : `ec ${result.ec.toString(16)}`}@EL${result.target}`;
}
