// Conditional compare (register) and (immediate), conditional select.
// Source: DDI0487 C4.1, the three classes of these names.

import { add, type Bits, lit, not, select, X } from "../../bits/bits.ts";
import { type Execution, setFlags, setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { AddWithCarry } from "../shared/add-with-carry.ts";
import { ConditionHolds } from "../shared/condition-holds.ts";

/** The flags of a sum where the condition holds, the flags of the encoding elsewhere. */
function compare(cond: number, sum: ReturnType<typeof AddWithCarry>, nzcv: number): Execution {
  const holds = ConditionHolds(cond);
  const flag = (value: Bits, n: number): Bits => select(holds, value, lit((nzcv >> n) & 1, 1));
  const { N, Z, C, V } = sum.nzcv;
  return setFlags({ N: flag(N, 3), Z: flag(Z, 2), C: flag(C, 1), V: flag(V, 0) });
}

const CCMN_register = instruction({
  name: "CCMN (register)",
  source: "DDI0487 C6.2 CCMN (register)",
  encoding: "sf 0 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4",
  execute: ({ sf, Rm, cond, Rn, nzcv }) => {
    const datasize = sf === 1 ? 64 : 32;
    const sum = AddWithCarry(X(Rn, datasize), X(Rm, datasize), lit(0, 1));
    return compare(cond, sum, nzcv);
  },
});

const CCMP_register = instruction({
  name: "CCMP (register)",
  source: "DDI0487 C6.2 CCMP (register)",
  encoding: "sf 1 1 11010010 Rm:5 cond:4 0 0 Rn:5 0 nzcv:4",
  execute: ({ sf, Rm, cond, Rn, nzcv }) => {
    const datasize = sf === 1 ? 64 : 32;
    const sum = AddWithCarry(X(Rn, datasize), not(X(Rm, datasize)), lit(1, 1));
    return compare(cond, sum, nzcv);
  },
});

const CCMN_immediate = instruction({
  name: "CCMN (immediate)",
  source: "DDI0487 C6.2 CCMN (immediate)",
  encoding: "sf 0 1 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4",
  execute: ({ sf, imm5, cond, Rn, nzcv }) => {
    const datasize = sf === 1 ? 64 : 32;
    const sum = AddWithCarry(X(Rn, datasize), lit(imm5, datasize), lit(0, 1));
    return compare(cond, sum, nzcv);
  },
});

const CCMP_immediate = instruction({
  name: "CCMP (immediate)",
  source: "DDI0487 C6.2 CCMP (immediate)",
  encoding: "sf 1 1 11010010 imm5:5 cond:4 1 0 Rn:5 0 nzcv:4",
  execute: ({ sf, imm5, cond, Rn, nzcv }) => {
    const datasize = sf === 1 ? 64 : 32;
    const sum = AddWithCarry(X(Rn, datasize), not(lit(imm5, datasize)), lit(1, 1));
    return compare(cond, sum, nzcv);
  },
});

interface Registers {
  readonly sf: 0 | 1;
  readonly Rm: number;
  readonly cond: number;
  readonly Rn: number;
  readonly Rd: number;
}

/** Rn where the condition holds, a function of Rm elsewhere. */
function choose({ sf, Rm, cond, Rn, Rd }: Registers, otherwise: (value: Bits) => Bits): Execution {
  const datasize = sf === 1 ? 64 : 32;
  return setX(Rd, select(ConditionHolds(cond), X(Rn, datasize), otherwise(X(Rm, datasize))));
}

const increment = (value: Bits): Bits => add(value, lit(1, value.width));

const CSEL = instruction({
  name: "CSEL",
  source: "DDI0487 C6.2 CSEL",
  encoding: "sf 0 0 11010100 Rm:5 cond:4 0 0 Rn:5 Rd:5",
  execute: (fields) => choose(fields, (value) => value),
});

/** CINC where Rm is Rn, CSET where both are 31. */
const CSINC = instruction({
  name: "CSINC",
  source: "DDI0487 C6.2 CSINC",
  encoding: "sf 0 0 11010100 Rm:5 cond:4 0 1 Rn:5 Rd:5",
  execute: (fields) => choose(fields, increment),
});

/** CINV where Rm is Rn, CSETM where both are 31. */
const CSINV = instruction({
  name: "CSINV",
  source: "DDI0487 C6.2 CSINV",
  encoding: "sf 1 0 11010100 Rm:5 cond:4 0 0 Rn:5 Rd:5",
  execute: (fields) => choose(fields, not),
});

/** CNEG where Rm is Rn. */
const CSNEG = instruction({
  name: "CSNEG",
  source: "DDI0487 C6.2 CSNEG",
  encoding: "sf 1 0 11010100 Rm:5 cond:4 0 1 Rn:5 Rd:5",
  execute: (fields) => choose(fields, (value) => increment(not(value))),
});

export const conditionalCompare = [CCMN_register, CCMP_register, CCMN_immediate, CCMP_immediate];
export const conditionalSelect = [CSEL, CSINC, CSINV, CSNEG];
