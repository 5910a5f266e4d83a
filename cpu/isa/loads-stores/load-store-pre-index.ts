// Load/store register (immediate pre-indexed). Source: DDI0487 C4.1, the class of this name.

import { instruction } from "../../bits/instruction.ts";
import { preIndex } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

const STRB_pre = instruction({
  name: "STRB (immediate), pre-index",
  source: "DDI0487 C6.2 STRB (immediate)",
  encoding: "00 111 0 00 00 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, byte, preIndex(Rn, signed(imm9, 9))),
});

const LDRB_pre = instruction({
  name: "LDRB (immediate), pre-index",
  source: "DDI0487 C6.2 LDRB (immediate)",
  encoding: "00 111 0 00 01 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, byte, preIndex(Rn, signed(imm9, 9))),
});

const LDRSB_pre = instruction({
  name: "LDRSB (immediate), pre-index",
  source: "DDI0487 C6.2 LDRSB (immediate)",
  encoding: "00 111 0 00 1 w 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, byteTo(w), preIndex(Rn, signed(imm9, 9))),
});

const STRH_pre = instruction({
  name: "STRH (immediate), pre-index",
  source: "DDI0487 C6.2 STRH (immediate)",
  encoding: "01 111 0 00 00 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, half, preIndex(Rn, signed(imm9, 9))),
});

const LDRH_pre = instruction({
  name: "LDRH (immediate), pre-index",
  source: "DDI0487 C6.2 LDRH (immediate)",
  encoding: "01 111 0 00 01 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, half, preIndex(Rn, signed(imm9, 9))),
});

const LDRSH_pre = instruction({
  name: "LDRSH (immediate), pre-index",
  source: "DDI0487 C6.2 LDRSH (immediate)",
  encoding: "01 111 0 00 1 w 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, halfTo(w), preIndex(Rn, signed(imm9, 9))),
});

const STR_pre = instruction({
  name: "STR (immediate), pre-index",
  source: "DDI0487 C6.2 STR (immediate)",
  encoding: "1 sf 111 0 00 00 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => save(Rt, wordOr64(sf), preIndex(Rn, signed(imm9, 9))),
});

const LDR_pre = instruction({
  name: "LDR (immediate), pre-index",
  source: "DDI0487 C6.2 LDR (immediate)",
  encoding: "1 sf 111 0 00 01 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => load(Rt, wordOr64(sf), preIndex(Rn, signed(imm9, 9))),
});

const LDRSW_pre = instruction({
  name: "LDRSW (immediate), pre-index",
  source: "DDI0487 C6.2 LDRSW (immediate)",
  encoding: "10 111 0 00 10 0 imm9:9 11 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, wordToX, preIndex(Rn, signed(imm9, 9))),
});

export const loadStorePreIndex = [
  STRB_pre,
  LDRB_pre,
  LDRSB_pre,
  STRH_pre,
  LDRH_pre,
  LDRSH_pre,
  STR_pre,
  LDR_pre,
  LDRSW_pre,
];
