// Data-processing (1 source). Source: DDI0487 C4.1, Data-processing (1 source).

import {
  type Bits,
  call,
  clz,
  concat,
  lit,
  lsl,
  reverseBits,
  reverseBytes,
  slice,
  X,
  XorSP,
  xor,
} from "../../bits/bits.ts";
import { setX } from "../../bits/effects.ts";
import { type Instruction, instruction } from "../../bits/instruction.ts";

const RBIT = instruction({
  name: "RBIT",
  source: "DDI0487 C6.2 RBIT",
  encoding: "sf 1 0 11010110 00000 000000 Rn:5 Rd:5",
  execute: ({ sf, Rn, Rd }) => setX(Rd, reverseBits(X(Rn, sf === 1 ? 64 : 32))),
});

/** Reverses the bytes of each container, and keeps the containers where they are. */
function reverseContainers(value: Bits, container: 16 | 32): Bits {
  let result = reverseBytes(slice(value, 0, container));
  for (let low = container; low < value.width; low += container)
    result = concat(reverseBytes(slice(value, low, container)), result);
  return result;
}

const REV16 = instruction({
  name: "REV16",
  source: "DDI0487 C6.2 REV16",
  encoding: "sf 1 0 11010110 00000 000001 Rn:5 Rd:5",
  execute: ({ sf, Rn, Rd }) => setX(Rd, reverseContainers(X(Rn, sf === 1 ? 64 : 32), 16)),
});

const REV_32 = instruction({
  name: "REV (32-bit)",
  source: "DDI0487 C6.2 REV",
  encoding: "0 1 0 11010110 00000 000010 Rn:5 Rd:5",
  execute: ({ Rn, Rd }) => setX(Rd, reverseBytes(X(Rn, 32))),
});

const REV32 = instruction({
  name: "REV32",
  source: "DDI0487 C6.2 REV32",
  encoding: "1 1 0 11010110 00000 000010 Rn:5 Rd:5",
  execute: ({ Rn, Rd }) => setX(Rd, reverseContainers(X(Rn, 64), 32)),
});

const REV_64 = instruction({
  name: "REV (64-bit)",
  source: "DDI0487 C6.2 REV",
  encoding: "1 1 0 11010110 00000 000011 Rn:5 Rd:5",
  execute: ({ Rn, Rd }) => setX(Rd, reverseBytes(X(Rn, 64))),
});

const CLZ = instruction({
  name: "CLZ",
  source: "DDI0487 C6.2 CLZ",
  encoding: "sf 1 0 11010110 00000 000100 Rn:5 Rd:5",
  execute: ({ sf, Rn, Rd }) => setX(Rd, clz(X(Rn, sf === 1 ? 64 : 32))),
});

/** How many bits below the top one equal it. */
const CLS = instruction({
  name: "CLS",
  source: "DDI0487 C6.2 CLS",
  encoding: "sf 1 0 11010110 00000 000101 Rn:5 Rd:5",
  execute: ({ sf, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    const value = X(Rn, datasize);
    // A bit of this is 1 where a bit differs from the one below it; bit 0 is made 1 to end there.
    const changes = xor(value, lsl(value, 1));
    const ended = concat(slice(changes, 1, datasize - 1), lit(1, 1));
    return setX(Rd, clz(ended));
  },
});

type Key = "IA" | "IB" | "DA" | "DB";

const signed = (key: Key) => (address: Bits, modifier: Bits) =>
  call(`AddPAC${key}`, [address, modifier]);

const authenticated = (key: Key) => (address: Bits, modifier: Bits) =>
  call(`Auth${key}`, [address, modifier, lit(0, 1)]);

type Operation = ReturnType<typeof signed>;

/** Signs or authenticates Rd with Rn or SP as modifier. */
function withModifier(name: string, opcode: string, operation: Operation): Instruction {
  return instruction({
    name,
    source: `DDI0487 C6.2 ${name}`,
    feature: "PAuth",
    encoding: `1 1 0 11010110 00001 000 ${opcode} Rn:5 Rd:5` as "Rn:5 Rd:5",
    execute: ({ Rn, Rd }) => setX(Rd, operation(X(Rd, 64), XorSP(Rn, 64))),
  });
}

/** Signs or authenticates Rd with zero as modifier. */
function withZero(name: string, opcode: string, operation: Operation): Instruction {
  return instruction({
    name,
    source: `DDI0487 C6.2 ${name.replace("Z", "")}`,
    feature: "PAuth",
    encoding: `1 1 0 11010110 00001 001 ${opcode} 11111 Rd:5` as "Rd:5",
    execute: ({ Rd }) => setX(Rd, operation(X(Rd, 64), lit(0, 64))),
  });
}

const XPACI = instruction({
  name: "XPACI",
  source: "DDI0487 C6.2 XPACD, XPACI, XPACLRI",
  feature: "PAuth",
  encoding: "1 1 0 11010110 00001 010000 11111 Rd:5",
  execute: ({ Rd }) => setX(Rd, call("Strip", [X(Rd, 64), lit(0, 1)])),
});

const XPACD = instruction({
  name: "XPACD",
  source: "DDI0487 C6.2 XPACD, XPACI, XPACLRI",
  feature: "PAuth",
  encoding: "1 1 0 11010110 00001 010001 11111 Rd:5",
  execute: ({ Rd }) => setX(Rd, call("Strip", [X(Rd, 64), lit(1, 1)])),
});

export const dataProcessing1Source = [
  RBIT,
  REV16,
  REV_32,
  REV32,
  REV_64,
  CLZ,
  CLS,
  withModifier("PACIA", "000", signed("IA")),
  withModifier("PACIB", "001", signed("IB")),
  withModifier("PACDA", "010", signed("DA")),
  withModifier("PACDB", "011", signed("DB")),
  withModifier("AUTIA", "100", authenticated("IA")),
  withModifier("AUTIB", "101", authenticated("IB")),
  withModifier("AUTDA", "110", authenticated("DA")),
  withModifier("AUTDB", "111", authenticated("DB")),
  withZero("PACIZA", "000", signed("IA")),
  withZero("PACIZB", "001", signed("IB")),
  withZero("PACDZA", "010", signed("DA")),
  withZero("PACDZB", "011", signed("DB")),
  withZero("AUTIZA", "100", authenticated("IA")),
  withZero("AUTIZB", "101", authenticated("IB")),
  withZero("AUTDZA", "110", authenticated("DA")),
  withZero("AUTDZB", "111", authenticated("DB")),
  XPACI,
  XPACD,
];
