// Data-processing (2 source): the instructions on tagged pointers.
// Source: DDI0487 C4.1, Data-processing (2 source).

import {
  type Bits,
  call,
  concat,
  lit,
  lsl,
  not,
  or,
  signExtend,
  slice,
  X,
  XorSP,
} from "../../bits/bits.ts";
import { setFlags, setX, setXorSP } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { AddWithCarry } from "../shared/add-with-carry.ts";

/** An address without its tag: 56 bits, sign-extended. */
const untagged = (n: number): Bits => signExtend(slice(XorSP(n, 64), 0, 56), 64);

const SUBP = instruction({
  name: "SUBP",
  source: "DDI0487 C6.2 SUBP",
  feature: "MTE2",
  encoding: "1 0 0 11010110 Xm:5 000000 Xn:5 Xd:5",
  execute: ({ Xm, Xn, Xd }) =>
    setX(Xd, AddWithCarry(untagged(Xn), not(untagged(Xm)), lit(1, 1)).result),
});

/** CMPP where Xd is 31. */
const SUBPS = instruction({
  name: "SUBPS",
  source: "DDI0487 C6.2 SUBPS",
  feature: "MTE2",
  encoding: "1 0 1 11010110 Xm:5 000000 Xn:5 Xd:5",
  execute: ({ Xm, Xn, Xd }) => {
    const { result, nzcv } = AddWithCarry(untagged(Xn), not(untagged(Xm)), lit(1, 1));
    return [setFlags(nzcv), setX(Xd, result)];
  },
});

/** A pseudorandom tag, not one of those that Xm or GCR_EL1 exclude. */
const IRG = instruction({
  name: "IRG",
  source: "DDI0487 C6.2 IRG",
  missing: "GCR_EL1.RRND makes no other generator",
  feature: "MTE2",
  encoding: "1 0 0 11010110 Xm:5 000100 Xn:5 Xd:5",
  execute: ({ Xm, Xn, Xd }) => {
    const address = XorSP(Xn, 64);
    const tag = call("InsertRandomTag", [X(Xm, 16)]);
    return setXorSP(Xd, concat(slice(address, 60, 4), concat(tag, slice(address, 0, 56))));
  },
});

/** Adds the tag of Xn to the set of excluded tags in Xm. */
const GMI = instruction({
  name: "GMI",
  source: "DDI0487 C6.2 GMI",
  feature: "MTE2",
  encoding: "1 0 0 11010110 Xm:5 000101 Xn:5 Xd:5",
  execute: ({ Xm, Xn, Xd }) =>
    setX(Xd, or(X(Xm, 64), lsl(lit(1, 64), slice(XorSP(Xn, 64), 56, 4)))),
});

export const dataProcessing2SourceTags = [SUBP, SUBPS, IRG, GMI];
