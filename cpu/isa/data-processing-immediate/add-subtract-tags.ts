// Add/subtract (immediate, with tags). Source: DDI0487 C4.1, the class of this name.

import { add, type Bits, call, concat, lit, select, slice, sub, XorSP } from "../../bits/bits.ts";
import { setXorSP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** The allocation tag of an address is its bits 59 to 56. */
const tagOf = (address: Bits): Bits => slice(address, 56, 4);

function withTag(address: Bits, tag: Bits): Bits {
  return concat(slice(address, 60, 4), concat(tag, slice(address, 0, 56)));
}

/** The tag that is `offset` further among those not excluded; zero where tags are disabled. */
function nextTag(address: Bits, offset: number): Bits {
  const chosen = call("ChooseNonExcludedTag", [tagOf(address), lit(offset, 4)]);
  return select(call("AllocationTagAccessIsEnabled", []), chosen, lit(0, 4));
}

const ADDG = instruction({
  name: "ADDG",
  source: "DDI0487 C6.2 ADDG",
  feature: "MTE2",
  encoding: "1 0 0 100011 0 uimm6:6 00 uimm4:4 Xn:5 Xd:5",
  execute: ({ uimm6, uimm4, Xn, Xd }) => {
    const operand1 = XorSP(Xn, 64);
    const result = add(operand1, lit(uimm6 * 16, 64));
    return setXorSP(Xd, withTag(result, nextTag(operand1, uimm4)));
  },
});

const SUBG = instruction({
  name: "SUBG",
  source: "DDI0487 C6.2 SUBG",
  feature: "MTE2",
  encoding: "1 1 0 100011 0 uimm6:6 00 uimm4:4 Xn:5 Xd:5",
  execute: ({ uimm6, uimm4, Xn, Xd }) => {
    const operand1 = XorSP(Xn, 64);
    const result = sub(operand1, lit(uimm6 * 16, 64));
    return setXorSP(Xd, withTag(result, nextTag(operand1, uimm4)));
  },
});

export const addSubtractTags = [ADDG, SUBG];
