// Encoding diagrams: what they match, what they extract, and which are refused.

import { describe, expect, it } from "vitest";
import {
  encode,
  extractFields,
  type Fields,
  matches,
  parseEncoding,
} from "../../../cpu/bits/encoding.ts";

const ADD = parseEncoding("sf 0 0 100010 sh imm12:12 Rn:5 Rd:5");
const LDXR = parseEncoding("1 sz 001000 0 1 0 (11111) o0 (11111) Rn:5 Rt:5");

describe("encoding diagrams", () => {
  it("fixed bits are matched, fields are extracted", () => {
    // add x0, x1, #1, lsl #12
    expect(matches(ADD, 0x9140_0420)).toBe(true);
    expect(extractFields(ADD, 0x9140_0420)).toEqual({ sf: 1, sh: 1, imm12: 1, Rn: 1, Rd: 0 });
    // sub x0, x1, #1
    expect(matches(ADD, 0xd100_0420)).toBe(false);
  });

  it("should-be bits take no part in matching, and are set by encode", () => {
    expect(matches(LDXR, 0xc840_7c20)).toBe(true);
    expect(encode(LDXR, { sz: 1, o0: 0, Rn: 1, Rt: 0 })).toBe(0xc85f_7c20);
  });

  it("encode is the inverse of extract", () => {
    const values = { sf: 0, sh: 1, imm12: 0xabc, Rn: 31, Rd: 17 } as const;
    expect(extractFields(ADD, encode(ADD, values))).toEqual(values);
  });

  it.each([
    ["0 1", "2 bits instead of 32"],
    ["imm:33", "more than 32 bits"],
    ["Rd:16 Rd:16", "named twice"],
    ["Rd:16  Rn:16", 'cannot read ""'],
    ["Rd:16 2 Rn:15", 'cannot read "2"'],
  ])("%s is refused", (diagram, message) => {
    expect(() => parseEncoding(diagram)).toThrow(message);
  });

  it("the fields are a type", () => {
    const fields: Fields<"sf 0 (1) imm12:12 Rd:5"> = { sf: 1, imm12: 4095, Rd: 31 };
    // @ts-expect-error one bit is 0 or 1
    const wide: Fields<"sf 0"> = { sf: 2 };
    // @ts-expect-error there is no such field
    const other = (f: Fields<"sf 0">) => f.sh;
    expect([fields.Rd, wide.sf, other({ sf: 0 })]).toEqual([31, 2, undefined]);
  });
});
