// LDAPUR and STLUR: all sizes, and both ends of the range.

import { describe } from "vitest";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const at = (x1: bigint) => ({ x1, memory: [[DATA, VALUE]] }) as const;

describe("LDAPR/STLR (unscaled immediate)", () => {
  checkRows([
    ["ldapur x0, [x1, #-256]", 0xd9500020, at(DATA + 256n), { x0: VALUE }],
    ["ldapur w0, [x1, #4]", 0x99404020, at(DATA), { x0: 0xfedc_ba98n }],
    ["ldapurb w0, [x1, #255]", 0x194ff020, at(DATA - 255n), { x0: 0x80n }],
    ["ldapurh w0, [x1]", 0x59400020, at(DATA), { x0: 0x3280n }],
    ["ldapursb x0, [x1]", 0x19800020, at(DATA), { x0: 0xffff_ffff_ffff_ff80n }],
    ["ldapursb w0, [x1]", 0x19c00020, at(DATA), { x0: 0xffff_ff80n }],
    ["ldapursh x0, [x1, #6]", 0x59806020, at(DATA), { x0: 0xffff_ffff_ffff_fedcn }],
    ["ldapursh w0, [x1, #6]", 0x59c06020, at(DATA), { x0: 0xffff_fedcn }],
    ["ldapursw x0, [x1, #4]", 0x99804020, at(DATA), { x0: 0xffff_ffff_fedc_ba98n }],
    ["stlur x2, [x1]", 0xd9000022, { ...at(DATA), x2: 5n }, { memory: [[DATA, 5n]] }],
    [
      "stlur w2, [x1, #4]",
      0x99004022,
      { ...at(DATA), x2: 5n },
      { memory: [[DATA, 0x5_7654_3280n]] },
    ],
    [
      "stlurb w2, [x1, #1]",
      0x19001022,
      { ...at(DATA), x2: 5n },
      { memory: [[DATA, 0xfedc_ba98_7654_0580n]] },
    ],
    [
      "stlurh w2, [x1, #6]",
      0x59006022,
      { ...at(DATA), x2: 5n },
      { memory: [[DATA, 0x0005_ba98_7654_3280n]] },
    ],
    [
      "(ldapur without FEAT_LRCPC2)",
      0xd940_0020,
      { ...at(DATA), model: cortexA76 },
      { exception: { el: 2, ec: 0, iss: 0 } },
    ],
  ]);
});
