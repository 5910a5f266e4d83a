// Load/store pair: order in memory, scaling, writeback, overlaps, and all or nothing.

import { describe } from "vitest";
import { CODE, checkRows, DATA } from "../instruction-rows.ts";

const A = 0x1111_2222_3333_4444n;
const B = 0xfedc_ba98_7654_3210n;
const TWO = {
  x1: DATA,
  memory: [
    [DATA, A],
    [DATA + 8n, B],
  ],
} as const;
/** The last doubleword of memory. */
const END = CODE + 0x4_0000n - 8n;

describe("load/store pair", () => {
  checkRows([
    ["ldp x2, x3, [x1]", 0xa9400c22, TWO, { x2: A, x3: B }],
    [
      "ldp w2, w3, [x1, #4]",
      0x29408c22,
      { ...TWO, x1: DATA },
      { x2: 0x1111_2222n, x3: 0x7654_3210n },
    ],
    ["ldp x2, x3, [x1, #-512]", 0xa9600c22, { ...TWO, x1: DATA + 512n }, { x2: A, x3: B }],
    ["ldp x2, x3, [x1, #504]", 0xa95f8c22, { ...TWO, x1: DATA - 504n }, { x2: A, x3: B }],
    ["ldpsw x2, x3, [x1, #8]", 0x69410c22, TWO, { x2: 0x7654_3210n, x3: 0xffff_ffff_fedc_ba98n }],
    ["ldnp x2, x3, [x1]", 0xa8400c22, TWO, { x2: A, x3: B }],
    [
      "ldnp w2, w3, [x1, #-4]",
      0x287f8c22,
      { ...TWO, x1: DATA + 4n },
      { x2: 0x3333_4444n, x3: 0x1111_2222n },
    ],
    // The base may be loaded where it is not written back.
    ["ldp x1, x2, [x1]", 0xa9400821, TWO, { x1: A, x2: B }],
    ["ldp x2, xzr, [x1]", 0xa9407c22, TWO, { x2: A }],
    ["ldp x2, x3, [x1], #16", 0xa8c10c22, TWO, { x1: DATA + 16n, x2: A, x3: B }],
    ["ldp x2, x3, [x1, #-16]!", 0xa9ff0c22, { ...TWO, x1: DATA + 16n }, { x1: DATA, x2: A, x3: B }],
    [
      "ldp w2, w3, [x1], #-256",
      0x28e00c22,
      TWO,
      { x1: DATA - 256n, x2: 0x3333_4444n, x3: 0x1111_2222n },
    ],
    [
      "ldpsw x2, x3, [x1], #8",
      0x68c10c22,
      TWO,
      { x1: DATA + 8n, x2: 0x3333_4444n, x3: 0x1111_2222n },
    ],
    [
      "ldpsw x2, x3, [x1, #8]!",
      0x69c10c22,
      TWO,
      { x1: DATA + 8n, x2: 0x7654_3210n, x3: 0xffff_ffff_fedc_ba98n },
    ],
    [
      "ldp x29, x30, [sp], #32",
      0xa8c27bfd,
      { sp: DATA, memory: TWO.memory },
      { x29: A, x30: B, sp: DATA + 32n },
    ],
    [
      "stp x2, x3, [x1]",
      0xa9000c22,
      { ...TWO, x2: 5n, x3: 6n },
      {
        memory: [
          [DATA, 5n],
          [DATA + 8n, 6n],
        ],
      },
    ],
    [
      "stp w2, w3, [x1, #4]",
      0x29008c22,
      { ...TWO, x2: 5n, x3: 6n },
      {
        memory: [
          [DATA, 0x5_3333_4444n],
          [DATA + 8n, 0xfedc_ba98_0000_0006n],
        ],
      },
    ],
    [
      "stnp x2, x3, [x1]",
      0xa8000c22,
      { ...TWO, x2: 5n, x3: 6n },
      {
        memory: [
          [DATA, 5n],
          [DATA + 8n, 6n],
        ],
      },
    ],
    [
      "stp x29, x30, [sp, #-16]!",
      0xa9bf7bfd,
      { sp: DATA + 16n, x29: 5n, x30: 6n },
      {
        sp: DATA,
        memory: [
          [DATA, 5n],
          [DATA + 8n, 6n],
        ],
      },
    ],
    [
      "stp x2, x2, [x1], #16",
      0xa8810822,
      { ...TWO, x2: 5n },
      {
        x1: DATA + 16n,
        memory: [
          [DATA, 5n],
          [DATA + 8n, 5n],
        ],
      },
    ],
    // The old base is stored, then written back.
    [
      "(stp x1, x2, [x1, #-16]!)",
      0xa9bf_0821,
      { ...TWO, x1: DATA + 16n },
      {
        x1: DATA,
        memory: [
          [DATA, DATA + 16n],
          [DATA + 8n, 0n],
        ],
      },
    ],
    // CONSTRAINED UNPREDICTABLE: one register twice is UNDEFINED; a loaded base stays.
    ["(ldp x2, x2, [x1])", 0xa940_0822, TWO, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["(ldp x1, x2, [x1], #16)", 0xa8c1_0821, TWO, { x1: A, x2: B }],
    // Alignment is that of one register; the fault names the access.
    ["ldp x2, x3, [x1]", 0xa9400c22, { x1: DATA + 8n }, { x2: 0n, x3: 0n }],
    [
      "ldp x2, x3, [x1]",
      0xa9400c22,
      { x1: DATA + 4n },
      { exception: { el: 2, ec: 0x25, iss: 0x21, far: DATA + 4n } },
    ],
    // The second half is beyond the end of memory: the first half is not written.
    [
      "stp x2, x3, [x1]",
      0xa9000c22,
      { x1: END, x2: 5n, memory: [[END, A]] },
      { exception: { el: 2, ec: 0x25, iss: 0x50 } },
    ],
    [
      "ldp x2, x3, [x1], #16",
      0xa8c10c22,
      { x1: END, memory: [[END, A]] },
      { exception: { el: 2, ec: 0x25, iss: 0x10 } },
    ],
    ["(opc = 11)", 0xe940_0822, TWO, { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
