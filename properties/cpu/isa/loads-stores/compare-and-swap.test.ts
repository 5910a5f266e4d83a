// Compare and swap: equal, different, narrow, and pairs.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const A = 0x1111_2222_3333_4444n;
const B = 0xfedc_ba98_7654_3210n;
const TWO = {
  x1: DATA,
  memory: [
    [DATA, A],
    [DATA + 8n, B],
  ],
} as const;
const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("compare and swap", () => {
  checkRows([
    ["cas x2, x3, [x1]", 0xc8a27c23, { ...TWO, x2: A, x3: 5n }, { memory: [[DATA, 5n]] }],
    // What memory held is given back where it differs.
    ["cas x2, x3, [x1]", 0xc8a27c23, { ...TWO, x2: 0n, x3: 5n }, { x2: A }],
    // The upper half of Rs takes no part, and becomes zero.
    [
      "casal w2, w3, [x1]",
      0x88e2fc23,
      { ...TWO, x2: 0xf_3333_4444n, x3: 5n },
      { x2: 0x3333_4444n, memory: [[DATA, 0x1111_2222_0000_0005n]] },
    ],
    [
      "casab w2, w3, [x1]",
      0x08e27c23,
      { ...TWO, x2: 0x144n, x3: 5n },
      { x2: 0x44n, memory: [[DATA, A - 0x3fn]] },
    ],
    [
      "caslh w2, w3, [x1]",
      0x48a2fc23,
      { ...TWO, x2: 0x4444n, x3: 5n },
      { memory: [[DATA, A - 0x443fn]] },
    ],
    ["casb w2, w3, [x1]", 0x08a27c23, { ...TWO, x2: 1n, x3: 5n }, { x2: 0x44n }],
    [
      "casp x2, x3, x4, x5, [x1]",
      0x48227c24,
      { ...TWO, x2: A, x3: B, x4: 5n, x5: 6n },
      {
        memory: [
          [DATA, 5n],
          [DATA + 8n, 6n],
        ],
      },
    ],
    ["casp x2, x3, x4, x5, [x1]", 0x48227c24, { ...TWO, x2: A, x3: 0n, x4: 5n, x5: 6n }, { x3: B }],
    [
      "caspal w2, w3, w4, w5, [x1]",
      0x0862fc24,
      { ...TWO, x2: 0x3333_4444n, x3: 0x1111_2222n, x4: 5n, x5: 6n },
      { memory: [[DATA, 0x6_0000_0005n]] },
    ],
    ["(casp with odd Rs)", 0x4823_7c24, TWO, UNDEFINED],
    ["(casp with odd Rt)", 0x4822_7c25, TWO, UNDEFINED],
    ["(cas with Rt2 = 0)", 0xc8a2_0023, TWO, UNDEFINED],
    [
      "cas x2, x3, [x1]",
      0xc8a27c23,
      { x1: DATA + 4n },
      { exception: { el: 2, ec: 0x25, iss: 0x21 } },
    ],
  ]);
});
