// Atomic memory operations. Source: DDI0487 C4.1, Atomic memory operations.

import { add, and, type Bits, Mem, not, or, select, slt, ult, X, xor } from "../../bits/bits.ts";
import { type Execution, setX, store } from "../../bits/effects.ts";
import { type Instruction, instruction } from "../../bits/instruction.ts";
import { access, baseAddress, offsetFrom } from "../shared/addressing.ts";
import { byte, half, load, wordOr64 } from "../shared/transfer.ts";

type Operation = (held: Bits, operand: Bits) => Bits;

interface Fields {
  /** Acquire. */
  readonly A: 0 | 1;
  /** Release. */
  readonly R: 0 | 1;
  readonly Rs: number;
  readonly Rn: number;
  readonly Rt: number;
}

/** Replaces memory by a function of itself and Rs; Rt becomes what memory held. */
function atomic({ A, R, Rs, Rn, Rt }: Fields, width: number, operation: Operation): Execution {
  const address = baseAddress(Rn);
  const how = access(width / 8, Rn !== 31, { atomic: true, ordered: A === 1 || R === 1 });
  const held = Mem(address, width / 8, how);
  return [store(address, operation(held, X(Rs, width)), how), setX(Rt, held)];
}

/** The three sizes of one operation, and their forms that give nothing back. */
function family(suffix: string, opcode: string, operation: Operation): readonly Instruction[] {
  const rest = "A R 1 Rs:5" as const;
  const end = "00 Rn:5 Rt:5" as const;
  const source = (name: string) => `DDI0487 C6.2 ${name}`;
  const feature = "LSE";
  const [ld, st] = [`LD${suffix}`, `ST${suffix}`];
  const encoding = <const S extends string>(size: S) =>
    `${size} 111 0 00 ${rest} 0 ${opcode} ${end}` as `${S} ${typeof rest} ${typeof end}`;
  const noReturn = <const S extends string>(size: S) =>
    `${size} 111 0 00 0 R 1 Rs:5 0 ${opcode} 00 Rn:5 11111` as `${S} R Rs:5 Rn:5`;
  const discard = { A: 0, Rt: 31 } as const;
  return [
    instruction({
      name: `${ld}B`,
      source: source(`${ld}B`),
      feature,
      encoding: encoding("00"),
      execute: (fields) => atomic(fields, 8, operation),
    }),
    instruction({
      name: `${ld}H`,
      source: source(`${ld}H`),
      feature,
      encoding: encoding("01"),
      execute: (fields) => atomic(fields, 16, operation),
    }),
    instruction({
      name: ld,
      source: source(ld),
      feature,
      encoding: encoding("1 sf"),
      execute: ({ sf, ...fields }) => atomic(fields, sf === 1 ? 64 : 32, operation),
    }),
    instruction({
      name: `${st}B`,
      source: source(`${st}B`),
      feature,
      within: `${ld}B`,
      encoding: noReturn("00"),
      execute: (fields) => atomic({ ...fields, ...discard }, 8, operation),
    }),
    instruction({
      name: `${st}H`,
      source: source(`${st}H`),
      feature,
      within: `${ld}H`,
      encoding: noReturn("01"),
      execute: (fields) => atomic({ ...fields, ...discard }, 16, operation),
    }),
    instruction({
      name: st,
      source: source(st),
      feature,
      within: ld,
      encoding: noReturn("1 sf"),
      execute: ({ sf, ...fields }) =>
        atomic({ ...fields, ...discard }, sf === 1 ? 64 : 32, operation),
    }),
  ];
}

const operand: Operation = (_held, value) => value;

const SWPB = instruction({
  name: "SWPB",
  source: "DDI0487 C6.2 SWPB, SWPAB, SWPALB, SWPLB",
  feature: "LSE",
  encoding: "00 111 0 00 A R 1 Rs:5 1 000 00 Rn:5 Rt:5",
  execute: (fields) => atomic(fields, 8, operand),
});

const SWPH = instruction({
  name: "SWPH",
  source: "DDI0487 C6.2 SWPH, SWPAH, SWPALH, SWPLH",
  feature: "LSE",
  encoding: "01 111 0 00 A R 1 Rs:5 1 000 00 Rn:5 Rt:5",
  execute: (fields) => atomic(fields, 16, operand),
});

const SWP = instruction({
  name: "SWP",
  source: "DDI0487 C6.2 SWP, SWPA, SWPAL, SWPL",
  feature: "LSE",
  encoding: "1 sf 111 0 00 A R 1 Rs:5 1 000 00 Rn:5 Rt:5",
  execute: ({ sf, ...fields }) => atomic(fields, sf === 1 ? 64 : 32, operand),
});

/** A load-acquire in the weaker, RCpc, order; here it is a load whose alignment is checked. */
const LDAPRB = instruction({
  name: "LDAPRB",
  source: "DDI0487 C6.2 LDAPRB",
  feature: "LRCPC",
  encoding: "00 111 0 00 1 0 1 (11111) 1 100 00 Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => load(Rt, byte, offsetFrom(Rn, 0), { ordered: true }),
});

const LDAPRH = instruction({
  name: "LDAPRH",
  source: "DDI0487 C6.2 LDAPRH",
  feature: "LRCPC",
  encoding: "01 111 0 00 1 0 1 (11111) 1 100 00 Rn:5 Rt:5",
  execute: ({ Rn, Rt }) => load(Rt, half, offsetFrom(Rn, 0), { ordered: true }),
});

const LDAPR = instruction({
  name: "LDAPR",
  source: "DDI0487 C6.2 LDAPR",
  feature: "LRCPC",
  encoding: "1 sf 111 0 00 1 0 1 (11111) 1 100 00 Rn:5 Rt:5",
  execute: ({ sf, Rn, Rt }) => load(Rt, wordOr64(sf), offsetFrom(Rn, 0), { ordered: true }),
});

export const atomicMemoryOperations = [
  ...family("ADD", "000", add),
  ...family("CLR", "001", (held, value) => and(held, not(value))),
  ...family("EOR", "010", xor),
  ...family("SET", "011", or),
  ...family("SMAX", "100", (held, value) => select(slt(held, value), value, held)),
  ...family("SMIN", "101", (held, value) => select(slt(value, held), value, held)),
  ...family("UMAX", "110", (held, value) => select(ult(held, value), value, held)),
  ...family("UMIN", "111", (held, value) => select(ult(value, held), value, held)),
  SWPB,
  SWPH,
  SWP,
  LDAPRB,
  LDAPRH,
  LDAPR,
];
