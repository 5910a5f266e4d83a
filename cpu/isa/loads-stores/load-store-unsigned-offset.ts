// Load/store register (unsigned immediate). Source: DDI0487 C4.1, the class of this name.

import { NOP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { offsetFrom } from "../shared/addressing.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

const STRB_unsigned = instruction({
  name: "STRB (immediate), unsigned offset",
  source: "DDI0487 C6.2 STRB (immediate)",
  encoding: "00 111 0 01 00 imm12:12 Rn:5 Rt:5",
  execute: ({ imm12, Rn, Rt }) => save(Rt, byte, offsetFrom(Rn, imm12)),
});

const LDRB_unsigned = instruction({
  name: "LDRB (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDRB (immediate)",
  encoding: "00 111 0 01 01 imm12:12 Rn:5 Rt:5",
  execute: ({ imm12, Rn, Rt }) => load(Rt, byte, offsetFrom(Rn, imm12)),
});

const LDRSB_unsigned = instruction({
  name: "LDRSB (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDRSB (immediate)",
  encoding: "00 111 0 01 1 w imm12:12 Rn:5 Rt:5",
  execute: ({ w, imm12, Rn, Rt }) => load(Rt, byteTo(w), offsetFrom(Rn, imm12)),
});

const STRH_unsigned = instruction({
  name: "STRH (immediate), unsigned offset",
  source: "DDI0487 C6.2 STRH (immediate)",
  encoding: "01 111 0 01 00 imm12:12 Rn:5 Rt:5",
  execute: ({ imm12, Rn, Rt }) => save(Rt, half, offsetFrom(Rn, imm12 * 2)),
});

const LDRH_unsigned = instruction({
  name: "LDRH (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDRH (immediate)",
  encoding: "01 111 0 01 01 imm12:12 Rn:5 Rt:5",
  execute: ({ imm12, Rn, Rt }) => load(Rt, half, offsetFrom(Rn, imm12 * 2)),
});

const LDRSH_unsigned = instruction({
  name: "LDRSH (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDRSH (immediate)",
  encoding: "01 111 0 01 1 w imm12:12 Rn:5 Rt:5",
  execute: ({ w, imm12, Rn, Rt }) => load(Rt, halfTo(w), offsetFrom(Rn, imm12 * 2)),
});

const STR_unsigned = instruction({
  name: "STR (immediate), unsigned offset",
  source: "DDI0487 C6.2 STR (immediate)",
  encoding: "1 sf 111 0 01 00 imm12:12 Rn:5 Rt:5",
  execute: ({ sf, imm12, Rn, Rt }) =>
    save(Rt, wordOr64(sf), offsetFrom(Rn, imm12 * (sf === 1 ? 8 : 4))),
});

const LDR_unsigned = instruction({
  name: "LDR (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDR (immediate)",
  encoding: "1 sf 111 0 01 01 imm12:12 Rn:5 Rt:5",
  execute: ({ sf, imm12, Rn, Rt }) =>
    load(Rt, wordOr64(sf), offsetFrom(Rn, imm12 * (sf === 1 ? 8 : 4))),
});

const LDRSW_unsigned = instruction({
  name: "LDRSW (immediate), unsigned offset",
  source: "DDI0487 C6.2 LDRSW (immediate)",
  encoding: "10 111 0 01 10 imm12:12 Rn:5 Rt:5",
  execute: ({ imm12, Rn, Rt }) => load(Rt, wordToX, offsetFrom(Rn, imm12 * 4)),
});

/** A hint about a future access; this core has no caches. */
const PRFM_unsigned = instruction({
  name: "PRFM (immediate)",
  source: "DDI0487 C6.2 PRFM (immediate)",
  missing: "there are no caches",
  encoding: "11 111 0 01 10 imm12:12 Rn:5 Rt:5",
  execute: () => NOP,
});

export const loadStoreUnsignedOffset = [
  STRB_unsigned,
  LDRB_unsigned,
  LDRSB_unsigned,
  STRH_unsigned,
  LDRH_unsigned,
  LDRSH_unsigned,
  STR_unsigned,
  LDR_unsigned,
  LDRSW_unsigned,
  PRFM_unsigned,
];
