// The words that programs need beside random ones, and which registers they may use.

import type { Random } from "../random.ts";

/** What a register of a program is for; the others are free. */
export const ROLES = {
  /** Saves the link of a function that calls another. */
  link: 21,
  /** Points at the middle of the data. */
  data: 22,
  outerCounter: 23,
  innerCounter: 24,
  /** X25 to X28 belong to the handlers: count, two scratch registers, end of the log. */
  count: 25,
  log: 28,
  lr: 30,
} as const;

/** Registers that a random instruction may write. */
const FREE = [...Array.from({ length: 21 }, (_, n) => n), 29];

export const freeRegister = (random: Random): number => random.pick(FREE);

export const add = (d: number, n: number, imm12: number): number =>
  (0x9100_0000 | (imm12 << 10) | (n << 5) | d) >>> 0;
export const addShifted = (d: number, n: number, imm12: number): number =>
  (0x9140_0000 | (imm12 << 10) | (n << 5) | d) >>> 0;
export const subtract = (d: number, n: number, imm12: number): number =>
  (0xd100_0000 | (imm12 << 10) | (n << 5) | d) >>> 0;
const subtractShifted = (d: number, n: number, imm12: number): number =>
  (0xd140_0000 | (imm12 << 10) | (n << 5) | d) >>> 0;
export const move = (d: number, m: number): number => (0xaa00_03e0 | (m << 16) | d) >>> 0;
export const moveImmediate = (d: number, imm16: number): number =>
  (0xd280_0000 | (imm16 << 5) | d) >>> 0;

/** Rd becomes Rn and a signed distance of up to 24 bits. */
export function addDistance(d: number, n: number, distance: number): number[] {
  const high = Math.floor(distance / 0x1000);
  const low = distance - 0x1000 * high;
  if (high === 0) return [add(d, n, low)];
  const first = high > 0 ? addShifted(d, n, high) : subtractShifted(d, n, -high);
  return low === 0 ? [first] : [first, add(d, d, low)];
}
/** MOVK of bits 47 to 32. */
export const moveKeep32 = (d: number, imm16: number): number =>
  (0xf2c0_0000 | (imm16 << 5) | d) >>> 0;

const imm19 = (distance: number): number => ((distance >> 2) & 0x7ffff) << 5;

export const b = (distance: number): number => 0x1400_0000 | ((distance >> 2) & 0x3ff_ffff);
export const bl = (distance: number): number => 0x9400_0000 | ((distance >> 2) & 0x3ff_ffff);
export const bCond = (condition: number) => (distance: number) =>
  0x5400_0000 | imm19(distance) | condition;
/** CBZ and CBNZ. */
export const compareBranch = (sf: number, op: number, t: number) => (distance: number) =>
  0x3400_0000 | (sf << 31) | (op << 24) | imm19(distance) | t;
/** TBZ and TBNZ. */
export const testBranch = (position: number, op: number, t: number) => (distance: number) =>
  0x3600_0000 |
  ((position >> 5) << 31) |
  (op << 24) |
  ((position & 31) << 19) |
  (((distance >> 2) & 0x3fff) << 5) |
  t;
export const adr = (d: number) => (distance: number) =>
  0x1000_0000 | ((distance & 3) << 29) | imm19(distance) | d;

export const br = (n: number): number => (0xd61f_0000 | (n << 5)) >>> 0;
export const blr = (n: number): number => (0xd63f_0000 | (n << 5)) >>> 0;
export const RET = 0xd65f_03c0;
export const RETAA = 0xd65f_0bff;
export const PACIASP = 0xd503_233f;
export const CLREX = 0xd503_305f;
export const NOP = 0xd503_201f;
/** PACIA and PACIZA, BRAA and BLRAA. */
export const pacia = (d: number, n: number): number => (0xdac1_0000 | (n << 5) | d) >>> 0;
export const pacdza = (d: number): number => (0xdac1_2be0 | d) >>> 0;
export const braa = (n: number, m: number): number => (0xd71f_0800 | (n << 5) | m) >>> 0;
export const blraa = (n: number, m: number): number => (0xd73f_0800 | (n << 5) | m) >>> 0;

export const svc = (imm16: number): number => (0xd400_0001 | (imm16 << 5)) >>> 0;
export const hvc = (imm16: number): number => (0xd400_0002 | (imm16 << 5)) >>> 0;
export const smc = (imm16: number): number => (0xd400_0003 | (imm16 << 5)) >>> 0;
export const brk = (imm16: number): number => (0xd420_0000 | (imm16 << 5)) >>> 0;
