// Load/store memory tags, and the stores of a tag with a pair.
// Source: DDI0487 C4.1, Load/store memory tags; Load/store register pair.

import { add, and, type Bits, call, concat, lit, slice, X, XorSP } from "../../bits/bits.ts";
import { type Execution, perform, setX, store } from "../../bits/effects.ts";
import { type Instruction, instruction } from "../../bits/instruction.ts";
import {
  access,
  baseAddress,
  offsetFrom,
  type Place,
  postIndex,
  preIndex,
} from "../shared/addressing.ts";
import { signed } from "../shared/signed.ts";

/** One tag covers 16 bytes. */
const granule = 16;

/** Where an instruction accesses tags, its data are not checked against them. */
const unchecked = access(granule, false);

const tagOf = (address: Bits): Bits => slice(address, 56, 4);

/** Sets the tags of one or two granules, and in some forms their memory to zero. */
interface TagStore {
  readonly name: string;
  /** Bits 23 and 22. */
  readonly opc: string;
  readonly granules: 1 | 2;
  readonly zero: boolean;
}

const tagStores: readonly TagStore[] = [
  { name: "STG", opc: "00", granules: 1, zero: false },
  { name: "STZG", opc: "01", granules: 1, zero: true },
  { name: "ST2G", opc: "10", granules: 2, zero: false },
  { name: "STZ2G", opc: "11", granules: 2, zero: true },
];

/** An address that is no multiple of 16 faults; then data are written, then tags. */
function storeTag({ granules, zero }: TagStore, Xt: number, place: Place): Execution {
  const address = call("TagAlignedAddress", [place.address]);
  const zeros = store(address, lit(0, 8 * granule), unchecked);
  const next = store(addGranule(address), lit(0, 8 * granule), unchecked);
  return [
    zero ? [zeros, granules === 2 ? next : []] : [],
    perform("WriteMemTag", [address, lit(granules, 2), tagOf(XorSP(Xt, 64))]),
    place.writeback,
  ];
}

/** The next granule of an aligned address. */
function addGranule(address: Bits): Bits {
  return add(address, lit(granule, 64));
}

/** The three addressing modes of one of them; the offset counts granules. */
function forms(what: TagStore): readonly Instruction[] {
  const { name, opc } = what;
  const form = (
    mode: string,
    op2: string,
    place: (Xn: number, offset: number) => Place,
  ): Instruction =>
    instruction({
      name: `${name}, ${mode}`,
      source: `DDI0487 C6.2 ${name}`,
      feature: "MTE2",
      encoding: `11011001 ${opc} 1 imm9:9 ${op2} Xn:5 Xt:5` as "imm9:9 Xn:5 Xt:5",
      execute: ({ imm9, Xn, Xt }) => storeTag(what, Xt, place(Xn, signed(imm9, 9) * granule)),
    });
  return [
    form("post-index", "01", postIndex),
    form("signed offset", "10", offsetFrom),
    form("pre-index", "11", preIndex),
  ];
}

/** Puts the tag of a granule into an address. */
const LDG = instruction({
  name: "LDG",
  source: "DDI0487 C6.2 LDG",
  feature: "MTE2",
  encoding: "11011001 01 1 imm9:9 00 Xn:5 Xt:5",
  execute: ({ imm9, Xn, Xt }) => {
    const { address } = offsetFrom(Xn, signed(imm9, 9) * granule);
    const tag = call("ReadMemTag", [and(address, lit(-granule, 64))]);
    const target = X(Xt, 64);
    return setX(Xt, concat(slice(target, 60, 4), concat(tag, slice(target, 0, 56))));
  },
});

/** Zeroes a block of the size that DCZID_EL0 says, and sets all its tags. */
const STZGM = instruction({
  name: "STZGM",
  source: "DDI0487 C6.2 STZGM",
  feature: "MTE2",
  encoding: "11011001 00 1 000000000 00 Xn:5 Xt:5",
  execute: ({ Xn, Xt }) =>
    perform("ZeroMemoryAndWriteTags", [baseAddress(Xn), slice(X(Xt, 64), 0, 4)]),
});

/** Writes the tags of a block of the size that GMID_EL1 says. */
const STGM = instruction({
  name: "STGM",
  source: "DDI0487 C6.2 STGM",
  feature: "MTE2",
  encoding: "11011001 10 1 000000000 00 Xn:5 Xt:5",
  execute: ({ Xn, Xt }) => perform("WriteMemTags", [baseAddress(Xn), X(Xt, 64)]),
});

/** Reads the tags of a block of the size that GMID_EL1 says. */
const LDGM = instruction({
  name: "LDGM",
  source: "DDI0487 C6.2 LDGM",
  feature: "MTE2",
  encoding: "11011001 11 1 000000000 00 Xn:5 Xt:5",
  execute: ({ Xn, Xt }) => setX(Xt, call("ReadMemTags", [baseAddress(Xn)])),
});

/** Stores two registers to one granule, and sets its tag to that of the address. */
function storePairAndTag(Xt: number, Xt2: number, place: Place): Execution {
  const address = call("TagAlignedAddress", [place.address]);
  return [
    store(address, concat(X(Xt2, 64), X(Xt, 64)), access(granule / 2, false)),
    perform("WriteMemTag", [address, lit(1, 2), tagOf(address)]),
    place.writeback,
  ];
}

const STGP_post = instruction({
  name: "STGP, post-index",
  source: "DDI0487 C6.2 STGP",
  feature: "MTE2",
  encoding: "01 101 0 001 0 simm7:7 Xt2:5 Xn:5 Xt:5",
  execute: ({ simm7, Xt2, Xn, Xt }) =>
    storePairAndTag(Xt, Xt2, postIndex(Xn, signed(simm7, 7) * granule)),
});

const STGP_offset = instruction({
  name: "STGP, signed offset",
  source: "DDI0487 C6.2 STGP",
  feature: "MTE2",
  encoding: "01 101 0 010 0 simm7:7 Xt2:5 Xn:5 Xt:5",
  execute: ({ simm7, Xt2, Xn, Xt }) =>
    storePairAndTag(Xt, Xt2, offsetFrom(Xn, signed(simm7, 7) * granule)),
});

const STGP_pre = instruction({
  name: "STGP, pre-index",
  source: "DDI0487 C6.2 STGP",
  feature: "MTE2",
  encoding: "01 101 0 011 0 simm7:7 Xt2:5 Xn:5 Xt:5",
  execute: ({ simm7, Xt2, Xn, Xt }) =>
    storePairAndTag(Xt, Xt2, preIndex(Xn, signed(simm7, 7) * granule)),
});

export const loadStoreMemoryTags = [...tagStores.flatMap(forms), LDG, STZGM, STGM, LDGM];
export const storePairWithTag = [STGP_post, STGP_offset, STGP_pre];
