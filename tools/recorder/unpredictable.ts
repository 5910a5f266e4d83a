// Words whose behaviour the architecture leaves open: they are not recorded.

import { dataAccess } from "../../model/machine/data-access.ts";

const field = (word: number, low: number, width: number): number =>
  (word >>> low) & (2 ** width - 1);

/**
 * Whether the operands make the word CONSTRAINED UNPREDICTABLE.
 * Source: DDI0487 K1.2, and the instruction pages of LDP, LDXP, STXR, STXP, LDRAA and the forms
 * with writeback.
 */
export function isConstrainedUnpredictable(word: number): boolean {
  const access = dataAccess(word);
  if (access === undefined || access.base === undefined) return false;
  const { base, kind, pair, load, writeback } = access;
  const [t, t2, s] = [field(word, 0, 5), field(word, 10, 5), field(word, 16, 5)];
  if (kind === "exclusive") {
    if (load) return pair && t === t2;
    return s === t || (pair && s === t2) || (s === base && base !== 31);
  }
  if (kind === "tags" && !pair) return false;
  const toBase = (register: number) => writeback && register === base && base !== 31;
  if (pair && kind !== "atomic") return (load && t === t2) || toBase(t) || toBase(t2);
  return toBase(t);
}
