// System register move and system instructions.
// Source: DDI0487 C4.1, System register move; System instructions.

import { call, lit, X } from "../../bits/bits.ts";
import { perform, setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** Which register it is, whether it may be read, and whether that traps, is decided at run time. */
const MRS = instruction({
  name: "MRS",
  source: "DDI0487 C6.2 MRS",
  encoding: "1101010100 1 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5",
  execute: ({ o0, op1, CRn, CRm, op2, Rt }) => {
    const register = [lit(2 + o0, 2), lit(op1, 3), lit(CRn, 4), lit(CRm, 4), lit(op2, 3)];
    return setX(Rt, call("MRS", [...register, lit(Rt, 5)]));
  },
});

const MSR_register = instruction({
  name: "MSR (register)",
  source: "DDI0487 C6.2 MSR (register)",
  encoding: "1101010100 0 1 o0 op1:3 CRn:4 CRm:4 op2:3 Rt:5",
  execute: ({ o0, op1, CRn, CRm, op2, Rt }) =>
    perform("MSR", [2 + o0, op1, CRn, CRm, op2, Rt, X(Rt, 64)]),
});

/** AT, CFP, CPP, DC, DVP, IC and TLBI are forms of it. */
const SYS = instruction({
  name: "SYS",
  source: "DDI0487 C6.2 SYS",
  encoding: "1101010100 0 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5",
  execute: ({ op1, CRn, CRm, op2, Rt }) => perform("SYS", [op1, CRn, CRm, op2, Rt, X(Rt, 64)]),
});

const SYSL = instruction({
  name: "SYSL",
  source: "DDI0487 C6.2 SYSL",
  missing: "no operation of v8.5 is architectural",
  encoding: "1101010100 1 01 op1:3 CRn:4 CRm:4 op2:3 Rt:5",
  execute: ({ op1, CRn, CRm, op2, Rt }) => {
    const operation = [lit(op1, 3), lit(CRn, 4), lit(CRm, 4), lit(op2, 3)];
    return setX(Rt, call("SYSL", [...operation, lit(Rt, 5)]));
  },
});

export const systemRegisters = [MRS, MSR_register, SYS, SYSL];
