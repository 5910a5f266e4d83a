// Load/store register (pac). Source: DDI0487 C4.1, Load/store register (pac).

import { add, type Bits, call, lit } from "../../bits/bits.ts";
import { setXorSP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { at, baseAddress } from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";
import { doubleword, load } from "../shared/transfer.ts";

interface Fields {
  /** 0 is data key A, 1 is data key B. */
  readonly M: 0 | 1;
  readonly S: 0 | 1;
  readonly imm9: number;
  readonly Rn: number;
}

/** The base authenticated with zero as modifier, plus an offset of ten bits, in doublewords. */
function authenticated({ M, S, imm9, Rn }: Fields): Bits {
  const base = call(M === 0 ? "AuthDA" : "AuthDB", [baseAddress(Rn), lit(0, 64), lit(1, 1)]);
  return add(base, lit(signed((S << 9) | imm9, 10) * 8, 64));
}

const LDRA_offset = instruction({
  name: "LDRAA, LDRAB, offset",
  source: "DDI0487 C6.2 LDRAA, LDRAB",
  feature: "PAuth",
  encoding: "11 111 0 00 M S 1 imm9:9 0 1 Rn:5 Rt:5",
  execute: ({ Rt, ...fields }) => load(Rt, doubleword, at(authenticated(fields), fields.Rn !== 31)),
});

const LDRA_pre = instruction({
  name: "LDRAA, LDRAB, pre-index",
  source: "DDI0487 C6.2 LDRAA, LDRAB",
  feature: "PAuth",
  encoding: "11 111 0 00 M S 1 imm9:9 1 1 Rn:5 Rt:5",
  execute: ({ Rt, ...fields }) => {
    const address = authenticated(fields);
    const writeback = setXorSP(fields.Rn, address);
    return load(Rt, doubleword, {
      address,
      writeback,
      writesBase: fields.Rn,
      tagChecked: true,
    });
  },
});

export const loadAuthenticatedInstructions = [LDRA_offset, LDRA_pre];
