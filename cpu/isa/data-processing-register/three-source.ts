// Data-processing (3 source): multiplications. Source: DDI0487 C4.1, Data-processing (3 source).

import { add, mul, signExtend, smulh, sub, umulh, X, zeroExtend } from "../../bits/bits.ts";
import { setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** MUL where Ra is 31. */
const MADD = instruction({
  name: "MADD",
  source: "DDI0487 C6.2 MADD",
  encoding: "sf 00 11011 000 Rm:5 0 Ra:5 Rn:5 Rd:5",
  execute: ({ sf, Rm, Ra, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    return setX(Rd, add(X(Ra, datasize), mul(X(Rn, datasize), X(Rm, datasize))));
  },
});

/** MNEG where Ra is 31. */
const MSUB = instruction({
  name: "MSUB",
  source: "DDI0487 C6.2 MSUB",
  encoding: "sf 00 11011 000 Rm:5 1 Ra:5 Rn:5 Rd:5",
  execute: ({ sf, Rm, Ra, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    return setX(Rd, sub(X(Ra, datasize), mul(X(Rn, datasize), X(Rm, datasize))));
  },
});

/** SMULL where Ra is 31. */
const SMADDL = instruction({
  name: "SMADDL",
  source: "DDI0487 C6.2 SMADDL",
  encoding: "1 00 11011 001 Rm:5 0 Ra:5 Rn:5 Rd:5",
  execute: ({ Rm, Ra, Rn, Rd }) => {
    const product = mul(signExtend(X(Rn, 32), 64), signExtend(X(Rm, 32), 64));
    return setX(Rd, add(X(Ra, 64), product));
  },
});

/** SMNEGL where Ra is 31. */
const SMSUBL = instruction({
  name: "SMSUBL",
  source: "DDI0487 C6.2 SMSUBL",
  encoding: "1 00 11011 001 Rm:5 1 Ra:5 Rn:5 Rd:5",
  execute: ({ Rm, Ra, Rn, Rd }) => {
    const product = mul(signExtend(X(Rn, 32), 64), signExtend(X(Rm, 32), 64));
    return setX(Rd, sub(X(Ra, 64), product));
  },
});

const SMULH = instruction({
  name: "SMULH",
  source: "DDI0487 C6.2 SMULH",
  encoding: "1 00 11011 010 Rm:5 0 (11111) Rn:5 Rd:5",
  execute: ({ Rm, Rn, Rd }) => setX(Rd, smulh(X(Rn, 64), X(Rm, 64))),
});

/** UMULL where Ra is 31. */
const UMADDL = instruction({
  name: "UMADDL",
  source: "DDI0487 C6.2 UMADDL",
  encoding: "1 00 11011 101 Rm:5 0 Ra:5 Rn:5 Rd:5",
  execute: ({ Rm, Ra, Rn, Rd }) => {
    const product = mul(zeroExtend(X(Rn, 32), 64), zeroExtend(X(Rm, 32), 64));
    return setX(Rd, add(X(Ra, 64), product));
  },
});

/** UMNEGL where Ra is 31. */
const UMSUBL = instruction({
  name: "UMSUBL",
  source: "DDI0487 C6.2 UMSUBL",
  encoding: "1 00 11011 101 Rm:5 1 Ra:5 Rn:5 Rd:5",
  execute: ({ Rm, Ra, Rn, Rd }) => {
    const product = mul(zeroExtend(X(Rn, 32), 64), zeroExtend(X(Rm, 32), 64));
    return setX(Rd, sub(X(Ra, 64), product));
  },
});

const UMULH = instruction({
  name: "UMULH",
  source: "DDI0487 C6.2 UMULH",
  encoding: "1 00 11011 110 Rm:5 0 (11111) Rn:5 Rd:5",
  execute: ({ Rm, Rn, Rd }) => setX(Rd, umulh(X(Rn, 64), X(Rm, 64))),
});

export const dataProcessing3Source = [MADD, MSUB, SMADDL, SMSUBL, SMULH, UMADDL, UMSUBL, UMULH];
