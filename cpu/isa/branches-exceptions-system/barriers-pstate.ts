// Barriers, and the instructions that write PSTATE. Source: DDI0487 C4.1, Barriers; PSTATE.

import { and, lit, not, or, PSTATE } from "../../bits/bits.ts";
import { NOP, perform, setFlags, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

const CLREX = instruction({
  name: "CLREX",
  source: "DDI0487 C6.2 CLREX",
  encoding: "1101010100 0 00 011 0011 CRm:4 010 11111",
  execute: () => perform("ClearExclusiveLocal"),
});

/** Memory here is sequentially consistent. SSBB and PSSBB are forms of it. */
const DSB = instruction({
  name: "DSB",
  source: "DDI0487 C6.2 DSB",
  missing: "memory is sequentially consistent: there is nothing to wait for",
  encoding: "1101010100 0 00 011 0011 CRm:4 100 11111",
  execute: () => NOP,
});

/** Memory here is sequentially consistent. */
const DMB = instruction({
  name: "DMB",
  source: "DDI0487 C6.2 DMB",
  missing: "memory is sequentially consistent: there is nothing to order",
  encoding: "1101010100 0 00 011 0011 CRm:4 101 11111",
  execute: () => NOP,
});

const ISB = instruction({
  name: "ISB",
  source: "DDI0487 C6.2 ISB",
  encoding: "1101010100 0 00 011 0011 CRm:4 110 11111",
  execute: () => perform("ISB"),
});

/** Nothing is speculated here. */
const SB = instruction({
  name: "SB",
  source: "DDI0487 C6.2 SB",
  feature: "SB",
  encoding: "1101010100 0 00 011 0011 (0000) 111 11111",
  execute: () => NOP,
});

/** op1 and op2 of UAO, PAN, SPSel, SSBS, DIT, TCO, DAIFSet and DAIFClr. */
const pstateFields = ["0 3", "0 4", "0 5", "3 1", "3 2", "3 4", "3 6", "3 7"];

/** Which field, whether it exists, and who may write it, is decided at run time. */
const MSR_immediate = instruction({
  name: "MSR (immediate)",
  source: "DDI0487 C6.2 MSR (immediate)",
  encoding: "1101010100 0 00 op1:3 0100 CRm:4 op2:3 11111",
  execute: ({ op1, CRm, op2 }) =>
    pstateFields.includes(`${op1} ${op2}`) ? perform("MSR_immediate", [op1, op2, CRm]) : UNDEFINED,
});

const CFINV = instruction({
  name: "CFINV",
  source: "DDI0487 C6.2 CFINV",
  feature: "FlagM",
  within: "MSR (immediate)",
  encoding: "1101010100 0 00 000 0100 (0000) 000 11111",
  execute: () => setFlags({ C: not(PSTATE("C")) }),
});

/** From the flags of a floating-point comparison in the other format to Arm's. */
const XAFLAG = instruction({
  name: "XAFLAG",
  source: "DDI0487 C6.2 XAFLAG",
  feature: "FlagM2",
  within: "MSR (immediate)",
  encoding: "1101010100 0 00 000 0100 (0000) 001 11111",
  execute: () => {
    const [Z, C] = [PSTATE("Z"), PSTATE("C")];
    return setFlags({
      N: and(not(C), not(Z)),
      Z: and(Z, C),
      C: or(C, Z),
      V: and(not(C), Z),
    });
  },
});

/** From Arm's flags of a floating-point comparison to the other format. */
const AXFLAG = instruction({
  name: "AXFLAG",
  source: "DDI0487 C6.2 AXFLAG",
  feature: "FlagM2",
  within: "MSR (immediate)",
  encoding: "1101010100 0 00 000 0100 (0000) 010 11111",
  execute: () => {
    const [Z, C, V] = [PSTATE("Z"), PSTATE("C"), PSTATE("V")];
    return setFlags({ N: lit(0, 1), Z: or(Z, V), C: and(C, not(V)), V: lit(0, 1) });
  },
});

export const barriers = [CLREX, DSB, DMB, ISB, SB];
export const pstate = [MSR_immediate, CFINV, XAFLAG, AXFLAG];
