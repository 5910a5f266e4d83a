// Data-processing (2 source): division, variable shifts, CRC32, PACGA.
// Source: DDI0487 C4.1, Data-processing (2 source).

import {
  asr,
  type Bits,
  call,
  lsl,
  lsr,
  ror,
  sdiv,
  slice,
  udiv,
  X,
  XorSP,
} from "../../bits/bits.ts";
import { type Execution, setX, UNDEFINED } from "../../bits/effects.ts";
import { instruction } from "../../bits/instruction.ts";

const UDIV = instruction({
  name: "UDIV",
  source: "DDI0487 C6.2 UDIV",
  encoding: "sf 0 0 11010110 Rm:5 000010 Rn:5 Rd:5",
  execute: ({ sf, Rm, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    return setX(Rd, udiv(X(Rn, datasize), X(Rm, datasize)));
  },
});

const SDIV = instruction({
  name: "SDIV",
  source: "DDI0487 C6.2 SDIV",
  encoding: "sf 0 0 11010110 Rm:5 000011 Rn:5 Rd:5",
  execute: ({ sf, Rm, Rn, Rd }) => {
    const datasize = sf === 1 ? 64 : 32;
    return setX(Rd, sdiv(X(Rn, datasize), X(Rm, datasize)));
  },
});

interface Registers {
  readonly sf: 0 | 1;
  readonly Rm: number;
  readonly Rn: number;
  readonly Rd: number;
}

/** Shifts Rn by Rm modulo the width. */
function variableShift(
  { sf, Rm, Rn, Rd }: Registers,
  shift: (value: Bits, amount: Bits) => Bits,
): Execution {
  return sf === 1
    ? setX(Rd, shift(X(Rn, 64), slice(X(Rm, 64), 0, 6)))
    : setX(Rd, shift(X(Rn, 32), slice(X(Rm, 32), 0, 5)));
}

const LSLV = instruction({
  name: "LSLV",
  source: "DDI0487 C6.2 LSLV",
  encoding: "sf 0 0 11010110 Rm:5 001000 Rn:5 Rd:5",
  execute: (fields) => variableShift(fields, lsl),
});

const LSRV = instruction({
  name: "LSRV",
  source: "DDI0487 C6.2 LSRV",
  encoding: "sf 0 0 11010110 Rm:5 001001 Rn:5 Rd:5",
  execute: (fields) => variableShift(fields, lsr),
});

const ASRV = instruction({
  name: "ASRV",
  source: "DDI0487 C6.2 ASRV",
  encoding: "sf 0 0 11010110 Rm:5 001010 Rn:5 Rd:5",
  execute: (fields) => variableShift(fields, asr),
});

const RORV = instruction({
  name: "RORV",
  source: "DDI0487 C6.2 RORV",
  encoding: "sf 0 0 11010110 Rm:5 001011 Rn:5 Rd:5",
  execute: (fields) => variableShift(fields, ror),
});

/** CRC32B, CRC32H, CRC32W and CRC32X: the polynomial 0x04C11DB7. */
const CRC32 = instruction({
  name: "CRC32B, CRC32H, CRC32W, CRC32X",
  source: "DDI0487 C6.2 CRC32B, CRC32H, CRC32W, CRC32X",
  feature: "CRC32",
  encoding: "sf 0 0 11010110 Rm:5 010 0 sz:2 Rn:5 Rd:5",
  execute: ({ sf, Rm, sz, Rn, Rd }) => {
    if ((sf === 1) !== (sz === 3)) return UNDEFINED;
    return setX(Rd, call("CRC32", [X(Rn, 32), X(Rm, 8 << sz)]));
  },
});

/** CRC32CB, CRC32CH, CRC32CW and CRC32CX: the polynomial 0x1EDC6F41. */
const CRC32C = instruction({
  name: "CRC32CB, CRC32CH, CRC32CW, CRC32CX",
  source: "DDI0487 C6.2 CRC32CB, CRC32CH, CRC32CW, CRC32CX",
  feature: "CRC32",
  encoding: "sf 0 0 11010110 Rm:5 010 1 sz:2 Rn:5 Rd:5",
  execute: ({ sf, Rm, sz, Rn, Rd }) => {
    if ((sf === 1) !== (sz === 3)) return UNDEFINED;
    return setX(Rd, call("CRC32C", [X(Rn, 32), X(Rm, 8 << sz)]));
  },
});

const PACGA = instruction({
  name: "PACGA",
  source: "DDI0487 C6.2 PACGA",
  feature: "PAuth",
  encoding: "1 0 0 11010110 Rm:5 001100 Rn:5 Rd:5",
  execute: ({ Rm, Rn, Rd }) => setX(Rd, call("AddPACGA", [X(Rn, 64), XorSP(Rm, 64)])),
});

export const dataProcessing2Source = [UDIV, SDIV, LSLV, LSRV, ASRV, RORV, CRC32, CRC32C, PACGA];
