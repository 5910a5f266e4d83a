// Conditional branch, unconditional branch (immediate), compare and branch, test and branch.
// Source: DDI0487 C4.1, the four classes of these names.

import { add, type Bits, bit, isZero, lit, not, PC, X } from "../../bits/bits.ts";
import { branch, setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { ConditionHolds } from "../shared/condition-holds.ts";
import { signed } from "../shared/signed.ts";

/** The address that is `words` instructions from this one. */
function label(field: number, width: number): Bits {
  return add(PC, lit(signed(field, width) * 4, 64));
}

const B_cond = instruction({
  name: "B.cond",
  source: "DDI0487 C6.2 B.cond",
  encoding: "0101010 0 imm19:19 0 cond:4",
  execute: ({ imm19, cond }) => branch("DIR", label(imm19, 19), ConditionHolds(cond)),
});

const B = instruction({
  name: "B",
  source: "DDI0487 C6.2 B",
  encoding: "0 00101 imm26:26",
  execute: ({ imm26 }) => branch("DIR", label(imm26, 26)),
});

const BL = instruction({
  name: "BL",
  source: "DDI0487 C6.2 BL",
  encoding: "1 00101 imm26:26",
  execute: ({ imm26 }) => [setX(30, add(PC, lit(4, 64))), branch("DIRCALL", label(imm26, 26))],
});

const CBZ = instruction({
  name: "CBZ",
  source: "DDI0487 C6.2 CBZ",
  encoding: "sf 011010 0 imm19:19 Rt:5",
  execute: ({ sf, imm19, Rt }) =>
    branch("DIR", label(imm19, 19), isZero(X(Rt, sf === 1 ? 64 : 32))),
});

const CBNZ = instruction({
  name: "CBNZ",
  source: "DDI0487 C6.2 CBNZ",
  encoding: "sf 011010 1 imm19:19 Rt:5",
  execute: ({ sf, imm19, Rt }) =>
    branch("DIR", label(imm19, 19), not(isZero(X(Rt, sf === 1 ? 64 : 32)))),
});

const TBZ = instruction({
  name: "TBZ",
  source: "DDI0487 C6.2 TBZ",
  encoding: "b5 011011 0 b40:5 imm14:14 Rt:5",
  execute: ({ b5, b40, imm14, Rt }) =>
    branch("DIR", label(imm14, 14), not(bit(X(Rt, 64), b5 * 32 + b40))),
});

const TBNZ = instruction({
  name: "TBNZ",
  source: "DDI0487 C6.2 TBNZ",
  encoding: "b5 011011 1 b40:5 imm14:14 Rt:5",
  execute: ({ b5, b40, imm14, Rt }) =>
    branch("DIR", label(imm14, 14), bit(X(Rt, 64), b5 * 32 + b40)),
});

export const conditionalBranch = [B_cond];
export const unconditionalBranchImmediate = [B, BL];
export const compareAndBranch = [CBZ, CBNZ];
export const testAndBranch = [TBZ, TBNZ];
