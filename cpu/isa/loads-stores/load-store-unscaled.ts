// Load/store register (unscaled immediate). Source: DDI0487 C4.1, the class of this name.

import { NOP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { offsetFrom } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

const STURB = instruction({
  name: "STURB",
  source: "DDI0487 C6.2 STURB",
  encoding: "00 111 0 00 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, byte, offsetFrom(Rn, signed(imm9, 9))),
});

const LDURB = instruction({
  name: "LDURB",
  source: "DDI0487 C6.2 LDURB",
  encoding: "00 111 0 00 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, byte, offsetFrom(Rn, signed(imm9, 9))),
});

const LDURSB = instruction({
  name: "LDURSB",
  source: "DDI0487 C6.2 LDURSB",
  encoding: "00 111 0 00 1 w 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, byteTo(w), offsetFrom(Rn, signed(imm9, 9))),
});

const STURH = instruction({
  name: "STURH",
  source: "DDI0487 C6.2 STURH",
  encoding: "01 111 0 00 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, half, offsetFrom(Rn, signed(imm9, 9))),
});

const LDURH = instruction({
  name: "LDURH",
  source: "DDI0487 C6.2 LDURH",
  encoding: "01 111 0 00 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, half, offsetFrom(Rn, signed(imm9, 9))),
});

const LDURSH = instruction({
  name: "LDURSH",
  source: "DDI0487 C6.2 LDURSH",
  encoding: "01 111 0 00 1 w 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, halfTo(w), offsetFrom(Rn, signed(imm9, 9))),
});

const STUR = instruction({
  name: "STUR",
  source: "DDI0487 C6.2 STUR",
  encoding: "1 sf 111 0 00 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => save(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9))),
});

const LDUR = instruction({
  name: "LDUR",
  source: "DDI0487 C6.2 LDUR",
  encoding: "1 sf 111 0 00 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) => load(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9))),
});

const LDURSW = instruction({
  name: "LDURSW",
  source: "DDI0487 C6.2 LDURSW",
  encoding: "10 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, wordToX, offsetFrom(Rn, signed(imm9, 9))),
});

/** A hint about a future access; this core has no caches. */
const PRFUM = instruction({
  name: "PRFUM",
  source: "DDI0487 C6.2 PRFUM",
  missing: "there are no caches",
  encoding: "11 111 0 00 10 0 imm9:9 00 Rn:5 Rt:5",
  execute: () => NOP,
});

export const loadStoreUnscaled = [
  STURB,
  LDURB,
  LDURSB,
  STURH,
  LDURH,
  LDURSH,
  STUR,
  LDUR,
  LDURSW,
  PRFUM,
];
