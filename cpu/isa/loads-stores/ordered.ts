// Load/store ordered. Source: DDI0487 C4.1, Load/store ordered.

import type { Execution } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { offsetFrom } from "../shared/addressing.ts";
import { byte, half, load, save, type Transfer, wordOr64 } from "../shared/transfer.ts";

/** Memory here is sequentially consistent; what is left of the ordering is the alignment check. */
const ordered = { ordered: true };

const loadOrdered = (Rt: number, transfer: Transfer, Rn: number): Execution =>
  load(Rt, transfer, offsetFrom(Rn, 0), ordered);

const saveOrdered = (Rt: number, transfer: Transfer, Rn: number): Execution =>
  save(Rt, transfer, offsetFrom(Rn, 0), ordered);

const STLLRB = instruction({
  name: "STLLRB",
  source: "DDI0487 C6.2 STLLRB",
  feature: "LOR",
  encoding: "00 001000 1 0 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => saveOrdered(Rt, byte, Rn),
});

const STLRB = instruction({
  name: "STLRB",
  source: "DDI0487 C6.2 STLRB",
  encoding: "00 001000 1 0 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => saveOrdered(Rt, byte, Rn),
});

const LDLARB = instruction({
  name: "LDLARB",
  source: "DDI0487 C6.2 LDLARB",
  feature: "LOR",
  encoding: "00 001000 1 1 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => loadOrdered(Rt, byte, Rn),
});

const LDARB = instruction({
  name: "LDARB",
  source: "DDI0487 C6.2 LDARB",
  encoding: "00 001000 1 1 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => loadOrdered(Rt, byte, Rn),
});

const STLLRH = instruction({
  name: "STLLRH",
  source: "DDI0487 C6.2 STLLRH",
  feature: "LOR",
  encoding: "01 001000 1 0 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => saveOrdered(Rt, half, Rn),
});

const STLRH = instruction({
  name: "STLRH",
  source: "DDI0487 C6.2 STLRH",
  encoding: "01 001000 1 0 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => saveOrdered(Rt, half, Rn),
});

const LDLARH = instruction({
  name: "LDLARH",
  source: "DDI0487 C6.2 LDLARH",
  feature: "LOR",
  encoding: "01 001000 1 1 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => loadOrdered(Rt, half, Rn),
});

const LDARH = instruction({
  name: "LDARH",
  source: "DDI0487 C6.2 LDARH",
  encoding: "01 001000 1 1 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => loadOrdered(Rt, half, Rn),
});

const STLLR = instruction({
  name: "STLLR",
  source: "DDI0487 C6.2 STLLR",
  feature: "LOR",
  encoding: "1 sf 001000 1 0 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ sf, Rn, Rt }) => saveOrdered(Rt, wordOr64(sf), Rn),
});

const STLR = instruction({
  name: "STLR",
  source: "DDI0487 C6.2 STLR",
  encoding: "1 sf 001000 1 0 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ sf, Rn, Rt }) => saveOrdered(Rt, wordOr64(sf), Rn),
});

const LDLAR = instruction({
  name: "LDLAR",
  source: "DDI0487 C6.2 LDLAR",
  feature: "LOR",
  encoding: "1 sf 001000 1 1 0 (11111) 0 (11111) Rn:5 Rt:5",
  execute: ({ sf, Rn, Rt }) => loadOrdered(Rt, wordOr64(sf), Rn),
});

const LDAR = instruction({
  name: "LDAR",
  source: "DDI0487 C6.2 LDAR",
  encoding: "1 sf 001000 1 1 0 (11111) 1 (11111) Rn:5 Rt:5",
  execute: ({ sf, Rn, Rt }) => loadOrdered(Rt, wordOr64(sf), Rn),
});

export const loadStoreOrdered = [
  STLLRB,
  STLRB,
  LDLARB,
  LDARB,
  STLLRH,
  STLRH,
  LDLARH,
  LDARH,
  STLLR,
  STLR,
  LDLAR,
  LDAR,
];
