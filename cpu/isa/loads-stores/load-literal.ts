// Load register (literal). Source: DDI0487 C4.1, Load register (literal).

import { add, type Bits, lit, PC } from "../../bits/bits.ts";
import { NOP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { at } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { load, wordOr64, wordToX } from "../shared/transfer.ts";

/** The address that is `imm19` words from this instruction. */
const label = (imm19: number): Bits => add(PC, lit(signed(imm19, 19) * 4, 64));

const LDR_literal = instruction({
  name: "LDR (literal)",
  source: "DDI0487 C6.2 LDR (literal)",
  encoding: "0 sf 011 0 00 imm19:19 Rt:5",
  execute: ({ sf, imm19, Rt }) => load(Rt, wordOr64(sf), at(label(imm19), false)),
});

const LDRSW_literal = instruction({
  name: "LDRSW (literal)",
  source: "DDI0487 C6.2 LDRSW (literal)",
  encoding: "10 011 0 00 imm19:19 Rt:5",
  execute: ({ imm19, Rt }) => load(Rt, wordToX, at(label(imm19), false)),
});

/** A hint about a future access; this core has no caches. */
const PRFM_literal = instruction({
  name: "PRFM (literal)",
  source: "DDI0487 C6.2 PRFM (literal)",
  missing: "there are no caches",
  encoding: "11 011 0 00 imm19:19 Rt:5",
  execute: () => NOP,
});

export const loadLiteral = [LDR_literal, LDRSW_literal, PRFM_literal];
