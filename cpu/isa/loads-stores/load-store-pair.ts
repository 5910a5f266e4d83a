// Load/store no-allocate pair (offset) and load/store register pair, in its three addressing modes.
// Source: DDI0487 C4.1, the four classes of these names.

import { instruction } from "../../bits/instruction.ts";
import { offsetFrom, postIndex, preIndex } from "../shared/addressing.ts";
import { loadPair, savePair } from "../shared/pair.ts";
import { signed } from "../shared/signed.ts";
import { doubleword, type Transfer, word, wordToX } from "../shared/transfer.ts";

const wordOr64 = (sf: 0 | 1): Transfer => (sf === 1 ? doubleword : word);

/** The offset is scaled by the size of one register. */
const scaled = (imm7: number, sf: 0 | 1): number => signed(imm7, 7) * (sf === 1 ? 8 : 4);

/** The hint that the data will not be used again has no effect here. */
const STNP = instruction({
  name: "STNP",
  source: "DDI0487 C6.2 STNP",
  encoding: "sf 0 101 0 000 0 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    savePair(Rt, Rt2, wordOr64(sf), offsetFrom(Rn, scaled(imm7, sf))),
});

const LDNP = instruction({
  name: "LDNP",
  source: "DDI0487 C6.2 LDNP",
  encoding: "sf 0 101 0 000 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    loadPair(Rt, Rt2, wordOr64(sf), offsetFrom(Rn, scaled(imm7, sf))),
});

const STP_post = instruction({
  name: "STP, post-index",
  source: "DDI0487 C6.2 STP",
  encoding: "sf 0 101 0 001 0 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    savePair(Rt, Rt2, wordOr64(sf), postIndex(Rn, scaled(imm7, sf))),
});

const LDP_post = instruction({
  name: "LDP, post-index",
  source: "DDI0487 C6.2 LDP",
  encoding: "sf 0 101 0 001 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    loadPair(Rt, Rt2, wordOr64(sf), postIndex(Rn, scaled(imm7, sf))),
});

const LDPSW_post = instruction({
  name: "LDPSW, post-index",
  source: "DDI0487 C6.2 LDPSW",
  encoding: "01 101 0 001 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ imm7, Rt2, Rn, Rt }) => loadPair(Rt, Rt2, wordToX, postIndex(Rn, scaled(imm7, 0))),
});

const STP_offset = instruction({
  name: "STP, signed offset",
  source: "DDI0487 C6.2 STP",
  encoding: "sf 0 101 0 010 0 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    savePair(Rt, Rt2, wordOr64(sf), offsetFrom(Rn, scaled(imm7, sf))),
});

const LDP_offset = instruction({
  name: "LDP, signed offset",
  source: "DDI0487 C6.2 LDP",
  encoding: "sf 0 101 0 010 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    loadPair(Rt, Rt2, wordOr64(sf), offsetFrom(Rn, scaled(imm7, sf))),
});

const LDPSW_offset = instruction({
  name: "LDPSW, signed offset",
  source: "DDI0487 C6.2 LDPSW",
  encoding: "01 101 0 010 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ imm7, Rt2, Rn, Rt }) => loadPair(Rt, Rt2, wordToX, offsetFrom(Rn, scaled(imm7, 0))),
});

const STP_pre = instruction({
  name: "STP, pre-index",
  source: "DDI0487 C6.2 STP",
  encoding: "sf 0 101 0 011 0 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    savePair(Rt, Rt2, wordOr64(sf), preIndex(Rn, scaled(imm7, sf))),
});

const LDP_pre = instruction({
  name: "LDP, pre-index",
  source: "DDI0487 C6.2 LDP",
  encoding: "sf 0 101 0 011 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ sf, imm7, Rt2, Rn, Rt }) =>
    loadPair(Rt, Rt2, wordOr64(sf), preIndex(Rn, scaled(imm7, sf))),
});

const LDPSW_pre = instruction({
  name: "LDPSW, pre-index",
  source: "DDI0487 C6.2 LDPSW",
  encoding: "01 101 0 011 1 imm7:7 Rt2:5 Rn:5 Rt:5",
  execute: ({ imm7, Rt2, Rn, Rt }) => loadPair(Rt, Rt2, wordToX, preIndex(Rn, scaled(imm7, 0))),
});

export const loadStoreNoAllocatePair = [STNP, LDNP];
export const loadStorePairPostIndex = [STP_post, LDP_post, LDPSW_post];
export const loadStorePairOffset = [STP_offset, LDP_offset, LDPSW_offset];
export const loadStorePairPreIndex = [STP_pre, LDP_pre, LDPSW_pre];
