// Exclusives: a store succeeds where its mark is; sizes; pairs; overlaps.

import { describe, expect, it } from "vitest";
import { noGates, run } from "../../../../cpu/core.ts";
import { checkRows, DATA, prepared } from "../instruction-rows.ts";

const A = 0x1111_2222_3333_4444n;
const B = 0xfedc_ba98_7654_3210n;
const TWO = {
  x1: DATA,
  memory: [
    [DATA, A],
    [DATA + 8n, B],
  ],
} as const;
const marked = (sizeBytes: number) => ({ ...TWO, exclusive: [DATA, sizeBytes] }) as const;

describe("load/store exclusive", () => {
  checkRows([
    ["ldxr x0, [x1]", 0xc85f7c20, TWO, { x0: A }],
    ["ldaxr w0, [x1]", 0x885ffc20, TWO, { x0: 0x3333_4444n }],
    ["ldxrb w0, [x1]", 0x085f7c20, TWO, { x0: 0x44n }],
    ["ldaxrh w0, [x1]", 0x485ffc20, TWO, { x0: 0x4444n }],
    ["ldxp x2, x3, [x1]", 0xc87f0c22, TWO, { x2: A, x3: B }],
    ["ldaxp w2, w3, [x1]", 0x887f8c22, TWO, { x2: 0x3333_4444n, x3: 0x1111_2222n }],
    // Status 1 and no store without a mark; 0 with it.
    ["stxr w0, x2, [x1]", 0xc8007c22, { ...TWO, x2: 5n }, { x0: 1n }],
    [
      "stxr w0, x2, [x1]",
      0xc8007c22,
      { ...marked(8), x0: 7n, x2: 5n },
      { x0: 0n, memory: [[DATA, 5n]] },
    ],
    [
      "stlxr w0, w2, [x1]",
      0x8800fc22,
      { ...marked(4), x0: 7n, x2: 5n },
      { x0: 0n, memory: [[DATA, 0x1111_2222_0000_0005n]] },
    ],
    [
      "stxrb w0, w2, [x1]",
      0x08007c22,
      { ...marked(1), x0: 7n, x2: 5n },
      { x0: 0n, memory: [[DATA, A - 0x3fn]] },
    ],
    [
      "stlxrh w0, w2, [x1]",
      0x4800fc22,
      { ...marked(2), x0: 7n, x2: 5n },
      { x0: 0n, memory: [[DATA, A - 0x443fn]] },
    ],
    [
      "stxp w0, x2, x3, [x1]",
      0xc8200c22,
      { ...marked(16), x0: 7n, x2: 5n, x3: 6n },
      {
        x0: 0n,
        memory: [
          [DATA, 5n],
          [DATA + 8n, 6n],
        ],
      },
    ],
    [
      "stlxp w0, w2, w3, [x1]",
      0x88208c22,
      { ...marked(8), x0: 7n, x2: 5n, x3: 6n },
      { x0: 0n, memory: [[DATA, 0x6_0000_0005n]] },
    ],
    // A mark of another size does not count.
    ["stxr w0, w2, [x1]", 0x88007c22, { ...marked(8), x2: 5n }, { x0: 1n }],
    // A pair is one access of twice the size, and aligned to it.
    [
      "ldxp x2, x3, [x1]",
      0xc87f0c22,
      { x1: DATA + 8n },
      { exception: { el: 2, ec: 0x25, iss: 0x21 } },
    ],
    ["ldxr x0, [x1]", 0xc85f7c20, { x1: DATA + 4n }, { exception: { el: 2, ec: 0x25, iss: 0x21 } }],
    // A store-exclusive checks its address whether it is marked or not.
    [
      "stxr w0, x2, [x1]",
      0xc8007c22,
      { x1: DATA + 4n },
      { exception: { el: 2, ec: 0x25, iss: 0x61 } },
    ],
    // CONSTRAINED UNPREDICTABLE: the status register as data is stored before it is written.
    [
      "(stxr w2, x2, [x1])",
      0xc802_7c22,
      { ...marked(8), x2: 5n },
      { x2: 0n, memory: [[DATA, 5n]] },
    ],
    [
      "(stxr w1, x2, [x1])",
      0xc801_7c22,
      { ...marked(8), x2: 5n },
      { x1: 0n, memory: [[DATA, 5n]] },
    ],
    ["(ldxp x2, x2, [x1])", 0xc87f_0822, TWO, { exception: { el: 2, ec: 0, iss: 0 } }],
    // Should-be-one bits that are zero do not matter.
    ["(ldxr with Rs = 0)", 0xc840_7c20, TWO, { x0: A }],
  ]);

  it("a load-exclusive marks its address and size; the store-exclusive takes the mark away", () => {
    const core = prepared(0x885f_7c20, TWO);
    run(core, { budget: 1, gates: noGates });
    expect(core.exclusive).toEqual({ pa: DATA, sizeBytes: 4 });
    const storing = prepared(0x8800_7c22, { ...TWO, exclusive: [DATA, 4] });
    run(storing, { budget: 1, gates: noGates });
    expect(storing.exclusive).toBeUndefined();
  });
});
