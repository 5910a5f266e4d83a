// Programs of the measurement modules: what their `seq` parameter makes their EL1 half do.

import fc from "fast-check";

/** Bytes that the module copies of its parameter, the final zero included. */
const SEQ_BYTES = 128;

/** Numbers of the host's hypercalls that the measurement module calls by itself. */
const NUMBERS = [0, 12, 13, 14, 15, 16, 17, 44, 127, 128, 129, 130, 159, 255, 256] as const;

const item = fc.oneof(
  { weight: 6, arbitrary: fc.constant("load") },
  { weight: 2, arbitrary: fc.constantFrom("loadfail", "loadregs") },
  { weight: 6, arbitrary: fc.constantFrom("reg", "regops") },
  { weight: 1, arbitrary: fc.constantFrom("regbad0", "regbadk") },
  { weight: 4, arbitrary: fc.constantFrom(...NUMBERS).map((number) => `call${number}`) },
  { weight: 2, arbitrary: fc.constantFrom(...NUMBERS).map((number) => `raw${number}`) },
  { weight: 2, arbitrary: fc.constantFrom("iommufin", "iommufin", "iommufinerr", "cont") },
);

/** The longest front of a program that the module's buffer holds. */
function fitting(items: readonly string[]): string {
  const program = items.join(",");
  if (program.length < SEQ_BYTES) return program;
  return program.slice(0, program.lastIndexOf(",", SEQ_BYTES - 1));
}

/** Programs that a vendor's module could be: they load, register what they need, and say so. */
const ORDINARY = ["load,reg,regops,iommufin", "load,reg", "loadregs,regops,iommufin"] as const;

/**
 * A program. A third are ordinary ones; half of the others begin with a load, because nothing else
 * leads anywhere without one; any order is possible.
 */
export const program: fc.Arbitrary<string> = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...ORDINARY) },
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.boolean(), fc.array(item, { minLength: 1, maxLength: 10, size: "max" }))
      .map(([loadsFirst, items]) => fitting(loadsFirst ? ["load", ...items] : items)),
  },
);
