// What `exec` prints: how the run stopped, the instructions executed, the registers.

import { match } from "ts-pattern";
import type { Core } from "../../cpu/state.ts";
import type { SysregName } from "../../cpu/sysregs/names.ts";
import type { Ended, Executed } from "../exec.ts";
import { undefinedText } from "./undefined.ts";

const hex = (value: bigint): string => `0x${value.toString(16).padStart(16, "0")}`;

const sources = [
  "current EL with SP_EL0",
  "current EL with SP_ELx",
  "lower EL",
  "lower EL, AArch32",
];
const kinds = ["synchronous", "IRQ", "FIQ", "SError"];

/**
 * The vector at an offset from VBAR_ELx. Source: DDI0487 D1.3.1 Exception entry, vector offsets.
 */
function vectorName(offset: number): string {
  return `${kinds[(offset >> 7) & 3]} from ${sources[offset >> 9]}`;
}

/** The registers that say what the exception was. */
function syndromeLines(core: Core, to: 1 | 2): readonly string[] {
  const names: readonly SysregName[] =
    to === 2 ? ["ESR_EL2", "ELR_EL2", "FAR_EL2", "HPFAR_EL2"] : ["ESR_EL1", "ELR_EL1", "FAR_EL1"];
  const lines = names.map((name) => `${name} ${hex(core.sysreg[name])}`);
  const [esr, elr] = names.map((name) => core.sysreg[name]);
  const what = esr! >> 26n === 0n ? undefinedText(core, elr!) : undefined;
  return [...lines, ...(what === undefined ? [] : [what])].map((line) => `          ${line}`);
}

function endText(core: Core, ended: Ended): string {
  return match(ended)
    .with({ kind: "returned" }, () => "returned")
    .with({ kind: "exception" }, ({ to, offset }) =>
      [`exception to EL${to}: ${vectorName(offset)}`, ...syndromeLines(core, to)].join("\n"),
    )
    .with({ kind: "budget" }, () => "the budget of instructions is used up")
    .with({ kind: "smc" }, ({ imm }) => `SMC #${imm}: EL3 is outside`)
    .with({ kind: "wait" }, ({ instruction }) => `${instruction}: nothing is pending`)
    .with(
      { kind: "unmodelled" },
      ({ what, word }) => `not modelled: ${what} (word ${word.toString(16).padStart(8, "0")})`,
    )
    .exhaustive();
}

/** The general-purpose registers, three a line. */
function registerLines(core: Core): readonly string[] {
  const texts = Array.from(core.x, (value, n) => `${`x${n}`.padEnd(4)}${hex(value)}`);
  const lines: string[] = [];
  for (let n = 0; n < texts.length; n += 3) lines.push(texts.slice(n, n + 3).join("  "));
  return lines;
}

/** The state after a run, for a person. */
export function execText({ ended, core, instructions }: Executed): string {
  const { N, Z, C, V, EL, SP } = core.pstate;
  const sp = hex(core.sp[SP === 1 ? EL : 0] ?? 0n);
  const level = `EL${EL}${SP === 1 ? "h" : "t"}`;
  return [
    `stopped   ${endText(core, ended)}`,
    `executed  ${instructions} instructions`,
    `pc  ${hex(core.pc)}  sp  ${sp}  ${level}  NZCV ${N}${Z}${C}${V}`,
    ...registerLines(core),
  ].join("\n");
}
