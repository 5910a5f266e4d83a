// Load/store register (register offset). Source: DDI0487 C4.1, the class of this name.

import { add } from "../../bits/bits.ts";
import { type Execution, NOP, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";
import { at, baseAddress, type Place } from "../shared/addressing.ts";
import { ExtendReg } from "../shared/shift-extend.ts";
import {
  byte,
  byteTo,
  half,
  halfTo,
  load,
  save,
  type Transfer,
  wordOr64,
  wordToX,
} from "../shared/transfer.ts";

interface Operands {
  readonly Rm: number;
  readonly option: number;
  readonly S: 0 | 1;
  readonly Rn: number;
  readonly Rt: number;
}

/**
 * The base plus Rm, extended from 32 or 64 bits as option says and, where S is set, scaled by the
 * size of the access. Options that extend bytes and halfwords are unallocated.
 */
function registerOffset(
  { Rm, option, S, Rn, Rt }: Operands,
  transfer: Transfer,
  move: (Rt: number, transfer: Transfer, place: Place) => Execution,
): Execution {
  if ((option & 2) === 0) return UNDEFINED;
  const scale = S === 1 ? Math.log2(transfer.sizeBytes) : 0;
  const place = at(add(baseAddress(Rn), ExtendReg(Rm, option, scale, 64)), true);
  return move(Rt, transfer, place);
}

const STRB_register = instruction({
  name: "STRB (register)",
  source: "DDI0487 C6.2 STRB (register)",
  encoding: "00 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: (operands) => registerOffset(operands, byte, save),
});

const LDRB_register = instruction({
  name: "LDRB (register)",
  source: "DDI0487 C6.2 LDRB (register)",
  encoding: "00 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: (operands) => registerOffset(operands, byte, load),
});

const LDRSB_register = instruction({
  name: "LDRSB (register)",
  source: "DDI0487 C6.2 LDRSB (register)",
  encoding: "00 111 0 00 1 w 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: ({ w, ...operands }) => registerOffset(operands, byteTo(w), load),
});

const STRH_register = instruction({
  name: "STRH (register)",
  source: "DDI0487 C6.2 STRH (register)",
  encoding: "01 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: (operands) => registerOffset(operands, half, save),
});

const LDRH_register = instruction({
  name: "LDRH (register)",
  source: "DDI0487 C6.2 LDRH (register)",
  encoding: "01 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: (operands) => registerOffset(operands, half, load),
});

const LDRSH_register = instruction({
  name: "LDRSH (register)",
  source: "DDI0487 C6.2 LDRSH (register)",
  encoding: "01 111 0 00 1 w 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: ({ w, ...operands }) => registerOffset(operands, halfTo(w), load),
});

const STR_register = instruction({
  name: "STR (register)",
  source: "DDI0487 C6.2 STR (register)",
  encoding: "1 sf 111 0 00 00 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: ({ sf, ...operands }) => registerOffset(operands, wordOr64(sf), save),
});

const LDR_register = instruction({
  name: "LDR (register)",
  source: "DDI0487 C6.2 LDR (register)",
  encoding: "1 sf 111 0 00 01 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: ({ sf, ...operands }) => registerOffset(operands, wordOr64(sf), load),
});

const LDRSW_register = instruction({
  name: "LDRSW (register)",
  source: "DDI0487 C6.2 LDRSW (register)",
  encoding: "10 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: (operands) => registerOffset(operands, wordToX, load),
});

/** A hint about a future access; this core has no caches. */
const PRFM_register = instruction({
  name: "PRFM (register)",
  source: "DDI0487 C6.2 PRFM (register)",
  missing: "there are no caches",
  encoding: "11 111 0 00 10 1 Rm:5 option:3 S 10 Rn:5 Rt:5",
  execute: ({ option }) => ((option & 2) === 0 ? UNDEFINED : NOP),
});

export const loadStoreRegisterOffset = [
  STRB_register,
  LDRB_register,
  LDRSB_register,
  STRH_register,
  LDRH_register,
  LDRSH_register,
  STR_register,
  LDR_register,
  LDRSW_register,
  PRFM_register,
];
