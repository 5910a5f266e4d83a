// Data-processing (3 source): products, their halves, and their sums.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;

describe("data-processing (3 source)", () => {
  checkRows([
    ["madd x0, x1, x2, x3", 0x9b020c20, { x1: MAX, x2: MAX, x3: 5n }, { x0: 6n }],
    ["madd w0, w1, w2, w3", 0x1b020c20, { x1: 0xffff_ffffn, x2: 2n, x3: 1n }, { x0: 0xffff_ffffn }],
    ["mul w0, w1, w2", 0x1b027c20, { x1: 0x1_0001n, x2: 0x1_0001n }, { x0: 0x2_0001n }],
    ["msub x0, x1, x2, x3", 0x9b028c20, { x1: 3n, x2: 4n, x3: 10n }, { x0: MAX - 1n }],
    ["mneg w0, w1, w2", 0x1b02fc20, { x1: 1n, x2: 1n }, { x0: 0xffff_ffffn }],
    ["smaddl x0, w1, w2, x3", 0x9b220c20, { x1: 0xffff_ffffn, x2: 2n, x3: 1n }, { x0: MAX }],
    ["smull x0, w1, w2", 0x9b227c20, { x1: 1n << 31n, x2: 1n << 31n }, { x0: 1n << 62n }],
    ["smsubl x0, w1, w2, x3", 0x9b228c20, { x1: 0xffff_ffffn, x2: 2n, x3: 1n }, { x0: 3n }],
    [
      "umaddl x0, w1, w2, x3",
      0x9ba20c20,
      { x1: MAX, x2: 0xffff_ffffn, x3: 0n },
      { x0: 0xffff_fffe_0000_0001n },
    ],
    ["umsubl x0, w1, w2, x3", 0x9ba28c20, { x1: 2n, x2: 3n, x3: 0n }, { x0: MAX - 5n }],
    ["smulh x0, x1, x2", 0x9b427c20, { x1: MAX, x2: MAX }, { x0: 0n }],
    ["smulh x0, x1, x2", 0x9b427c20, { x1: 1n << 63n, x2: 2n }, { x0: MAX }],
    ["umulh x0, x1, x2", 0x9bc27c20, { x1: MAX, x2: MAX }, { x0: MAX - 1n }],
    // Ra should be 31; what it is does not matter here.
    ["(umulh with Ra = 0)", 0x9bc2_0020, { x1: 1n << 63n, x2: 2n }, { x0: 1n }],
  ]);
});
