// Rotate right into flags, evaluate into flags. Source: DDI0487 C4.1, the classes of these names.

import { bit, isZero, ror, slice, X, xor } from "../../bits/bits.ts";
import { type Execution, setFlags } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

/** The low four bits of the rotated register go to those of N, Z, C and V that `mask` names. */
const RMIF = instruction({
  name: "RMIF",
  source: "DDI0487 C6.2 RMIF",
  feature: "FlagM",
  encoding: "1 0 1 11010000 imm6:6 00001 Rn:5 0 mask:4",
  execute: ({ imm6, Rn, mask }) => {
    const rotated = ror(X(Rn, 64), imm6);
    return setFlags({
      ...((mask & 8) !== 0 && { N: bit(rotated, 3) }),
      ...((mask & 4) !== 0 && { Z: bit(rotated, 2) }),
      ...((mask & 2) !== 0 && { C: bit(rotated, 1) }),
      ...((mask & 1) !== 0 && { V: bit(rotated, 0) }),
    });
  },
});

/** N and Z by the low bits, V where the bit above them differs from their top one; C is kept. */
function evaluate(Rn: number, width: 8 | 16): Execution {
  const value = X(Rn, 32);
  const N = bit(value, width - 1);
  return setFlags({ N, Z: isZero(slice(value, 0, width)), V: xor(bit(value, width), N) });
}

const SETF8 = instruction({
  name: "SETF8",
  source: "DDI0487 C6.2 SETF8, SETF16",
  feature: "FlagM",
  encoding: "0 0 1 11010000 000000 0 0010 Rn:5 0 1101",
  execute: ({ Rn }) => evaluate(Rn, 8),
});

const SETF16 = instruction({
  name: "SETF16",
  source: "DDI0487 C6.2 SETF8, SETF16",
  feature: "FlagM",
  encoding: "0 0 1 11010000 000000 1 0010 Rn:5 0 1101",
  execute: ({ Rn }) => evaluate(Rn, 16),
});

export const rotateRightIntoFlags = [RMIF];
export const evaluateIntoFlags = [SETF8, SETF16];
