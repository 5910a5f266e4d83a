// LDAPR/STLR (unscaled immediate). Source: DDI0487 C4.1, the class of this name.

import { instruction } from "../../bits/instruction.ts";
import { offsetFrom } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { byte, byteTo, half, halfTo, load, save, wordOr64, wordToX } from "../shared/transfer.ts";

/** Memory here is sequentially consistent; what is left of the ordering is the alignment check. */
const ordered = { ordered: true };

const STLURB = instruction({
  name: "STLURB",
  source: "DDI0487 C6.2 STLURB",
  feature: "LRCPC2",
  encoding: "00 011001 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, byte, offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPURB = instruction({
  name: "LDAPURB",
  source: "DDI0487 C6.2 LDAPURB",
  feature: "LRCPC2",
  encoding: "00 011001 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, byte, offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPURSB = instruction({
  name: "LDAPURSB",
  source: "DDI0487 C6.2 LDAPURSB",
  feature: "LRCPC2",
  encoding: "00 011001 1 w 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, byteTo(w), offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const STLURH = instruction({
  name: "STLURH",
  source: "DDI0487 C6.2 STLURH",
  feature: "LRCPC2",
  encoding: "01 011001 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => save(Rt, half, offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPURH = instruction({
  name: "LDAPURH",
  source: "DDI0487 C6.2 LDAPURH",
  feature: "LRCPC2",
  encoding: "01 011001 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, half, offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPURSH = instruction({
  name: "LDAPURSH",
  source: "DDI0487 C6.2 LDAPURSH",
  feature: "LRCPC2",
  encoding: "01 011001 1 w 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ w, imm9, Rn, Rt }) => load(Rt, halfTo(w), offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const STLUR = instruction({
  name: "STLUR",
  source: "DDI0487 C6.2 STLUR",
  feature: "LRCPC2",
  encoding: "1 sf 011001 00 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) =>
    save(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPUR = instruction({
  name: "LDAPUR",
  source: "DDI0487 C6.2 LDAPUR",
  feature: "LRCPC2",
  encoding: "1 sf 011001 01 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ sf, imm9, Rn, Rt }) =>
    load(Rt, wordOr64(sf), offsetFrom(Rn, signed(imm9, 9)), ordered),
});

const LDAPURSW = instruction({
  name: "LDAPURSW",
  source: "DDI0487 C6.2 LDAPURSW",
  feature: "LRCPC2",
  encoding: "10 011001 10 0 imm9:9 00 Rn:5 Rt:5",
  execute: ({ imm9, Rn, Rt }) => load(Rt, wordToX, offsetFrom(Rn, signed(imm9, 9)), ordered),
});

export const loadStoreOrderedUnscaled = [
  STLURB,
  LDAPURB,
  LDAPURSB,
  STLURH,
  LDAPURH,
  LDAPURSH,
  STLUR,
  LDAPUR,
  LDAPURSW,
];
