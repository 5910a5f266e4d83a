// Unconditional branch (register). Source: DDI0487 C4.1, Unconditional branch (register).

import { add, type Bits, call, lit, PC, SP, select, X, XorSP } from "../../bits/bits.ts";
import { branch, type Effect, perform, setPSTATE, setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

const nextInstruction = add(PC, lit(4, 64));

/** The address that a branch to this value goes to. Source: DDI0487 AArch64.BranchAddr. */
const branchAddress = (target: Bits): Bits => call("AArch64_BranchAddr", [target]);

/**
 * BTYPE after an indirect jump: 01 from an unguarded page, or by way of X16 or X17; else 11.
 * Source: DDI0487 D8 (PSTATE.BTYPE), and BR's own operation.
 */
function jumpType(Rn: number): Effect {
  const direct = lit(1, 2);
  if (Rn === 16 || Rn === 17) return setPSTATE("BTYPE", direct);
  return setPSTATE("BTYPE", select(call("InGuardedPage", []), lit(3, 2), direct));
}

const BR = instruction({
  name: "BR",
  source: "DDI0487 C6.2 BR",
  encoding: "1101011 0 0 00 11111 0000 0 0 Rn:5 00000",
  execute: ({ Rn }) => [branch("INDIR", branchAddress(X(Rn, 64))), jumpType(Rn)],
});

const BLR = instruction({
  name: "BLR",
  source: "DDI0487 C6.2 BLR",
  encoding: "1101011 0 0 01 11111 0000 0 0 Rn:5 00000",
  execute: ({ Rn }) => [
    setX(30, nextInstruction),
    branch("INDCALL", branchAddress(X(Rn, 64))),
    setPSTATE("BTYPE", lit(2, 2)),
  ],
});

const RET = instruction({
  name: "RET",
  source: "DDI0487 C6.2 RET",
  encoding: "1101011 0 0 10 11111 0000 0 0 Rn:5 00000",
  execute: ({ Rn }) => branch("RET", branchAddress(X(Rn, 64))),
});

/** Authenticates an address with key A (M is 0) or B. */
function authenticate(address: Bits, modifier: Bits, M: 0 | 1): Bits {
  return call(M === 0 ? "AuthIA" : "AuthIB", [address, modifier, lit(1, 1)]);
}

/** BRAAZ and BRABZ: the modifier is zero. */
const BRAZ = instruction({
  name: "BRAAZ, BRABZ",
  source: "DDI0487 C6.2 BRAA, BRAAZ, BRAB, BRABZ",
  feature: "PAuth",
  encoding: "1101011 0 0 00 11111 0000 1 M Rn:5 11111",
  execute: ({ M, Rn }) => {
    const target = authenticate(X(Rn, 64), lit(0, 64), M);
    return [branch("INDIR", branchAddress(target)), jumpType(Rn)];
  },
});

const BRA = instruction({
  name: "BRAA, BRAB",
  source: "DDI0487 C6.2 BRAA, BRAAZ, BRAB, BRABZ",
  feature: "PAuth",
  encoding: "1101011 1 0 00 11111 0000 1 M Rn:5 Rm:5",
  execute: ({ M, Rn, Rm }) => {
    const target = authenticate(X(Rn, 64), XorSP(Rm, 64), M);
    return [branch("INDIR", branchAddress(target)), jumpType(Rn)];
  },
});

const BLRAZ = instruction({
  name: "BLRAAZ, BLRABZ",
  source: "DDI0487 C6.2 BLRAA, BLRAAZ, BLRAB, BLRABZ",
  feature: "PAuth",
  encoding: "1101011 0 0 01 11111 0000 1 M Rn:5 11111",
  execute: ({ M, Rn }) => [
    setX(30, nextInstruction),
    branch("INDCALL", branchAddress(authenticate(X(Rn, 64), lit(0, 64), M))),
    setPSTATE("BTYPE", lit(2, 2)),
  ],
});

const BLRA = instruction({
  name: "BLRAA, BLRAB",
  source: "DDI0487 C6.2 BLRAA, BLRAAZ, BLRAB, BLRABZ",
  feature: "PAuth",
  encoding: "1101011 1 0 01 11111 0000 1 M Rn:5 Rm:5",
  execute: ({ M, Rn, Rm }) => [
    setX(30, nextInstruction),
    branch("INDCALL", branchAddress(authenticate(X(Rn, 64), XorSP(Rm, 64), M))),
    setPSTATE("BTYPE", lit(2, 2)),
  ],
});

const RETA = instruction({
  name: "RETAA, RETAB",
  source: "DDI0487 C6.2 RETAA, RETAB",
  feature: "PAuth",
  encoding: "1101011 0 0 10 11111 0000 1 M 11111 11111",
  execute: ({ M }) => branch("RET", branchAddress(authenticate(X(30, 64), SP, M))),
});

const ERET = instruction({
  name: "ERET",
  source: "DDI0487 C6.2 ERET",
  encoding: "1101011 0 100 11111 0000 0 0 11111 00000",
  execute: () => perform("ERET"),
});

/** The exception link register is authenticated with the stack pointer as modifier. */
const ERETA = instruction({
  name: "ERETAA, ERETAB",
  source: "DDI0487 C6.2 ERETAA, ERETAB",
  feature: "PAuth",
  encoding: "1101011 0 100 11111 0000 1 M 11111 11111",
  execute: ({ M }) => perform(M === 0 ? "ERETAA" : "ERETAB"),
});

/** Leaves Debug state; this core is never in it. */
const DRPS = instruction({
  name: "DRPS",
  source: "DDI0487 C6.2 DRPS",
  missing: "Debug state",
  encoding: "1101011 0 101 11111 000000 11111 00000",
  execute: () => perform("DRPS"),
});

export const unconditionalBranchRegister = [
  BR,
  BLR,
  RET,
  BRAZ,
  BRA,
  BLRAZ,
  BLRA,
  RETA,
  ERET,
  ERETA,
  DRPS,
];
