// Hints. Source: DDI0487 C4.1, Hints.

import { call, lit, SP, X } from "../../bits/bits.ts";
import { type Execution, NOP, perform, setX } from "../../bits/effects.ts";
import { type Instruction, instruction } from "../../bits/instruction.ts";
import type { Features } from "../../cpu-model.ts";

/** A hint that is not given below is a NOP. */
const HINT = instruction({
  name: "HINT",
  source: "DDI0487 C6.2 HINT",
  encoding: "1101010100 0 00 011 0010 CRm:4 op2:3 11111",
  execute: () => NOP,
});

/** A hint with a meaning of its own; on a processor without its feature it is a NOP. */
function hint(
  name: string,
  number: number,
  feature: keyof Features | undefined,
  execute: () => Execution,
  missing?: string,
): Instruction {
  const encoding = `1101010100 0 00 011 0010 ${number.toString(2).padStart(7, "0")} 11111`;
  const requires = feature === undefined ? {} : { feature };
  const source = `DDI0487 C6.2 ${name.split(",")[0]}`;
  const without = missing === undefined ? {} : { missing };
  return instruction({ name, source, encoding, within: "HINT", ...requires, ...without, execute });
}

const modifiers = { X16: X(16, 64), zero: lit(0, 64), SP };

/** Signs a register in place. */
function sign(n: number, key: "IA" | "IB", modifier: keyof typeof modifiers): Execution {
  return setX(n, call(`AddPAC${key}`, [X(n, 64), modifiers[modifier]]));
}

/** Authenticates a register in place. */
function authenticate(n: number, key: "IA" | "IB", modifier: keyof typeof modifiers): Execution {
  return setX(n, call(`Auth${key}`, [X(n, 64), modifiers[modifier], lit(0, 1)]));
}

const NOP_ = hint("NOP", 0, undefined, () => NOP);
const YIELD = hint("YIELD", 1, undefined, () => NOP);
const WFE = hint("WFE", 2, undefined, () => perform("WFE"), "the timer's event stream");
const WFI = hint("WFI", 3, undefined, () => perform("WFI"));
const SEV = hint("SEV", 4, undefined, () => perform("SEV"));
const SEVL = hint("SEVL", 5, undefined, () => perform("SEVL"));
const XPACLRI = hint("XPACLRI", 7, "PAuth", () => setX(30, call("Strip", [X(30, 64), lit(0, 1)])));
const PACIA1716 = hint("PACIA1716", 8, "PAuth", () => sign(17, "IA", "X16"));
const PACIB1716 = hint("PACIB1716", 10, "PAuth", () => sign(17, "IB", "X16"));
const AUTIA1716 = hint("AUTIA1716", 12, "PAuth", () => authenticate(17, "IA", "X16"));
const AUTIB1716 = hint("AUTIB1716", 14, "PAuth", () => authenticate(17, "IB", "X16"));
const ESB = hint("ESB", 16, "RAS", () => perform("ESB"));
const PSB_CSYNC = hint("PSB CSYNC", 17, undefined, () => NOP, "the profiling buffer");
const TSB_CSYNC = hint("TSB CSYNC", 18, undefined, () => NOP, "the trace buffer");
/** Nothing is speculated here. */
const CSDB = hint("CSDB", 20, undefined, () => NOP);
const PACIAZ = hint("PACIAZ", 24, "PAuth", () => sign(30, "IA", "zero"));
const PACIASP = hint("PACIASP", 25, "PAuth", () => sign(30, "IA", "SP"));
const PACIBZ = hint("PACIBZ", 26, "PAuth", () => sign(30, "IB", "zero"));
const PACIBSP = hint("PACIBSP", 27, "PAuth", () => sign(30, "IB", "SP"));
const AUTIAZ = hint("AUTIAZ", 28, "PAuth", () => authenticate(30, "IA", "zero"));
const AUTIASP = hint("AUTIASP", 29, "PAuth", () => authenticate(30, "IA", "SP"));
const AUTIBZ = hint("AUTIBZ", 30, "PAuth", () => authenticate(30, "IB", "zero"));
const AUTIBSP = hint("AUTIBSP", 31, "PAuth", () => authenticate(30, "IB", "SP"));

/** A landing pad: the check is made before any instruction of a guarded page executes. */
const BTI = instruction({
  name: "BTI",
  source: "DDI0487 C6.2 BTI",
  feature: "BTI",
  within: "HINT",
  encoding: "1101010100 0 00 011 0010 0100 targets:2 0 11111",
  execute: () => NOP,
});

export const hints = [
  HINT,
  NOP_,
  YIELD,
  WFE,
  WFI,
  SEV,
  SEVL,
  XPACLRI,
  PACIA1716,
  PACIB1716,
  AUTIA1716,
  AUTIB1716,
  ESB,
  PSB_CSYNC,
  TSB_CSYNC,
  CSDB,
  PACIAZ,
  PACIASP,
  PACIBZ,
  PACIBSP,
  AUTIAZ,
  AUTIASP,
  AUTIBZ,
  AUTIBSP,
  BTI,
];
