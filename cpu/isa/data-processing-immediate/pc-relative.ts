// PC-relative addressing: ADR and ADRP. Source: DDI0487 C4.1, PC-rel. addressing.

import { add, and, lit, PC } from "../../bits/bits.ts";
import { setX } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { signed } from "../shared/signed.ts";

/** The address of this instruction plus an offset of 21 bits. */
const ADR = instruction({
  name: "ADR",
  source: "DDI0487 C6.2 ADR",
  encoding: "0 immlo:2 10000 immhi:19 Rd:5",
  execute: ({ immlo, immhi, Rd }) => setX(Rd, add(PC, lit(signed((immhi << 2) | immlo, 21), 64))),
});

/** The 4 KiB page of this instruction plus an offset of 21 bits, in pages. */
const ADRP = instruction({
  name: "ADRP",
  source: "DDI0487 C6.2 ADRP",
  encoding: "1 immlo:2 10000 immhi:19 Rd:5",
  execute: ({ immlo, immhi, Rd }) =>
    setX(Rd, add(and(PC, lit(-4096, 64)), lit(signed((immhi << 2) | immlo, 21) * 4096, 64))),
});

export const pcRelative = [ADR, ADRP];
