// Load/store register (immediate post-indexed). Source: DDI0487 C4.1, the class of this name.

import { instruction } from "../../bits/instruction.ts";
import { postIndex } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

const STRB_post = instruction({
  name: "STRB (immediate), post-index",
  source: "DDI0487 C6.2 STRB (immediate)",
  encoding: "00 111 0 00 00 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, byte, postIndex(Rn, signed(imm9, 9))),
});

const LDRB_post = instruction({
  name: "LDRB (immediate), post-index",
  source: "DDI0487 C6.2 LDRB (immediate)",
  encoding: "00 111 0 00 01 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, byte, postIndex(Rn, signed(imm9, 9))),
});

const LDRSB_post = instruction({
  name: "LDRSB (immediate), post-index",
  source: "DDI0487 C6.2 LDRSB (immediate)",
  encoding: "00 111 0 00 1 w 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, byteTo(w), postIndex(Rn, signed(imm9, 9))),
});

const STRH_post = instruction({
  name: "STRH (immediate), post-index",
  source: "DDI0487 C6.2 STRH (immediate)",
  encoding: "01 111 0 00 00 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, half, postIndex(Rn, signed(imm9, 9))),
});

const LDRH_post = instruction({
  name: "LDRH (immediate), post-index",
  source: "DDI0487 C6.2 LDRH (immediate)",
  encoding: "01 111 0 00 01 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, half, postIndex(Rn, signed(imm9, 9))),
});

const LDRSH_post = instruction({
  name: "LDRSH (immediate), post-index",
  source: "DDI0487 C6.2 LDRSH (immediate)",
  encoding: "01 111 0 00 1 w 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, halfTo(w), postIndex(Rn, signed(imm9, 9))),
});

const STR_post = instruction({
  name: "STR (immediate), post-index",
  source: "DDI0487 C6.2 STR (immediate)",
  encoding: "1 sf 111 0 00 00 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => save(Rt, wordOr64(sf), postIndex(Rn, signed(imm9, 9))),
});

const LDR_post = instruction({
  name: "LDR (immediate), post-index",
  source: "DDI0487 C6.2 LDR (immediate)",
  encoding: "1 sf 111 0 00 01 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => load(Rt, wordOr64(sf), postIndex(Rn, signed(imm9, 9))),
});

const LDRSW_post = instruction({
  name: "LDRSW (immediate), post-index",
  source: "DDI0487 C6.2 LDRSW (immediate)",
  encoding: "10 111 0 00 10 0 imm9:9 01 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, wordToX, postIndex(Rn, signed(imm9, 9))),
});

export const loadStorePostIndex = [
  STRB_post,
  LDRB_post,
  LDRSB_post,
  STRH_post,
  LDRH_post,
  LDRSH_post,
  STR_post,
  LDR_post,
  LDRSW_post,
];
