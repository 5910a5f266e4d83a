// Load/store register (unprivileged). Source: DDI0487 C4.1, the class of this name.

import { instruction } from "../../bits/instruction.ts";
import { offsetFrom } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

/** Checked as an access from EL0, where PSTATE and HCR_EL2 say so. */
const unprivileged = { unprivileged: true };

const STTRB = instruction({
  name: "STTRB",
  source: "DDI0487 C6.2 STTRB",
  encoding: "00 111 0 00 00 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, byte, offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTRB = instruction({
  name: "LDTRB",
  source: "DDI0487 C6.2 LDTRB",
  encoding: "00 111 0 00 01 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, byte, offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTRSB = instruction({
  name: "LDTRSB",
  source: "DDI0487 C6.2 LDTRSB",
  encoding: "00 111 0 00 1 w 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) =>
    load(Rt, byteTo(w), offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const STTRH = instruction({
  name: "STTRH",
  source: "DDI0487 C6.2 STTRH",
  encoding: "01 111 0 00 00 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, half, offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTRH = instruction({
  name: "LDTRH",
  source: "DDI0487 C6.2 LDTRH",
  encoding: "01 111 0 00 01 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, half, offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTRSH = instruction({
  name: "LDTRSH",
  source: "DDI0487 C6.2 LDTRSH",
  encoding: "01 111 0 00 1 w 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) =>
    load(Rt, halfTo(w), offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const STTR = instruction({
  name: "STTR",
  source: "DDI0487 C6.2 STTR",
  encoding: "1 sf 111 0 00 00 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) =>
    save(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTR = instruction({
  name: "LDTR",
  source: "DDI0487 C6.2 LDTR",
  encoding: "1 sf 111 0 00 01 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) =>
    load(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

const LDTRSW = instruction({
  name: "LDTRSW",
  source: "DDI0487 C6.2 LDTRSW",
  encoding: "10 111 0 00 10 0 imm9:9 10 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, wordToX, offsetFrom(Rn, signed(imm9, 9)), unprivileged),
});

export const loadStoreUnprivileged = [
  STTRB,
  LDTRB,
  LDTRSB,
  STTRH,
  LDTRH,
  LDTRSH,
  STTR,
  LDTR,
  LDTRSW,
];
