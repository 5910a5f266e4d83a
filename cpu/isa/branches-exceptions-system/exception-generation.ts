// Exception generation. Source: DDI0487 C4.1, Exception generation.

import { perform, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

const SVC = instruction({
  name: "SVC",
  source: "DDI0487 C6.2 SVC",
  encoding: "11010100 000 imm16:16 000 01",
  execute: ({ imm16 }) => perform("SVC", [imm16]),
});

const HVC = instruction({
  name: "HVC",
  source: "DDI0487 C6.2 HVC",
  encoding: "11010100 000 imm16:16 000 10",
  execute: ({ imm16 }) => perform("HVC", [imm16]),
});

const SMC = instruction({
  name: "SMC",
  source: "DDI0487 C6.2 SMC",
  missing: "EL3 is outside: an SMC that is not trapped stops the run",
  encoding: "11010100 000 imm16:16 000 11",
  execute: ({ imm16 }) => perform("SMC", [imm16]),
});

const BRK = instruction({
  name: "BRK",
  source: "DDI0487 C6.2 BRK",
  encoding: "11010100 001 imm16:16 000 00",
  execute: ({ imm16 }) => perform("BRK", [imm16]),
});

/** UNDEFINED where halting is not allowed; without an external debugger it never is. */
const HLT = instruction({
  name: "HLT",
  source: "DDI0487 C6.2 HLT",
  missing: "Debug state",
  encoding: "11010100 010 imm16:16 000 00",
  execute: ({ imm16 }) => perform("HLT", [imm16]),
});

/** DCPS1, DCPS2 and DCPS3: to EL1, EL2 and EL3 in Debug state, in which this core never is. */
const DCPS = instruction({
  name: "DCPS1, DCPS2, DCPS3",
  source: "DDI0487 C6.2 DCPS1, DCPS2, DCPS3",
  missing: "Debug state",
  encoding: "11010100 101 imm16:16 000 LL:2",
  execute: ({ LL }) => (LL === 0 ? UNDEFINED : perform("DCPS", [LL])),
});

export const exceptionGeneration = [SVC, HVC, SMC, BRK, HLT, DCPS];
