// ConditionHolds: the condition codes.

import { and, type Bits, lit, not, or, PSTATE, xor } from "../../bits/bits.ts";

const N = PSTATE("N");
const Z = PSTATE("Z");
const C = PSTATE("C");
const V = PSTATE("V");
const GE = not(xor(N, V));

/** EQ CS MI VS HI GE GT and AL, by cond<3:1>. */
const conditions = [Z, C, N, V, and(C, not(Z)), GE, and(GE, not(Z)), lit(1, 1)] as const;

/**
 * Whether the flags satisfy a condition; both 1110 and 1111 always do.
 * Source: DDI0487 shared/functions/system/ConditionHolds.
 */
export function ConditionHolds(cond: number): Bits {
  const condition = conditions[cond >> 1] ?? or(N, not(N));
  return (cond & 1) === 1 && cond !== 15 ? not(condition) : condition;
}
