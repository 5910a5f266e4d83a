// Tags in memory: alignment, zeroing, blocks; memory that has no tags.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const FULL = {
  memory: [
    [DATA, 5n],
    [DATA + 8n, 6n],
    [DATA + 16n, 7n],
    [DATA + 24n, 8n],
  ],
} as const;
const ZERO1 = [
  [DATA, 0n],
  [DATA + 8n, 0n],
] as const;
const ZERO2 = [...ZERO1, [DATA + 16n, 0n], [DATA + 24n, 0n]] as const;
const ALIGNMENT = { exception: { el: 2, ec: 0x25, iss: 0x61, far: DATA + 8n } } as const;

// Translation is off: Device memory, whose tags read as zero and cannot be set.
describe("load/store memory tags", () => {
  checkRows([
    ["stg x0, [x1]", 0xd9200820, { x1: DATA, ...FULL }, {}],
    ["stg x0, [x1], #16", 0xd9201420, { x1: DATA, ...FULL }, { x1: DATA + 16n }],
    ["stg sp, [sp, #-4096]!", 0xd9300fff, { sp: DATA + 4096n }, { sp: DATA }],
    ["st2g x0, [x1, #4080]", 0xd9aff820, { x1: DATA - 4080n, ...FULL }, {}],
    ["stzg x0, [x1]", 0xd9600820, { x1: DATA, ...FULL }, { memory: ZERO1 }],
    ["stzg x0, [x1], #-16", 0xd97ff420, { x1: DATA, ...FULL }, { x1: DATA - 16n, memory: ZERO1 }],
    ["stz2g x0, [x1, #16]!", 0xd9e01c20, { x1: DATA - 16n, ...FULL }, { x1: DATA, memory: ZERO2 }],
    ["st2g x0, [x1], #32", 0xd9a02420, { x1: DATA }, { x1: DATA + 32n }],
    // The address has to be a multiple of 16; nothing is zeroed or written back.
    ["stg x0, [x1]", 0xd9200820, { x1: DATA + 8n }, ALIGNMENT],
    ["stzg x0, [x1], #16", 0xd9601420, { x1: DATA + 8n, ...FULL }, ALIGNMENT],
    ["stgp x2, x3, [x1]", 0x69000c22, { x1: DATA + 8n }, ALIGNMENT],
    [
      "stgp x2, x3, [x1, #16]",
      0x69008c22,
      { x1: DATA - 16n, x2: 1n, x3: 2n },
      {
        memory: [
          [DATA, 1n],
          [DATA + 8n, 2n],
        ],
      },
    ],
    [
      "stgp x2, x3, [x1], #-1024",
      0x68a00c22,
      { x1: DATA, x2: 1n, x3: 2n },
      {
        x1: DATA - 1024n,
        memory: [
          [DATA, 1n],
          [DATA + 8n, 2n],
        ],
      },
    ],
    [
      "stgp x2, x3, [sp, #1008]!",
      0x699f8fe2,
      { sp: DATA - 1008n, x2: 1n, x3: 2n },
      {
        sp: DATA,
        memory: [
          [DATA, 1n],
          [DATA + 8n, 2n],
        ],
      },
    ],
    // LDG puts the tag into the register, and keeps its other bits; it aligns its address.
    [
      "ldg x0, [x1]",
      0xd9600020,
      { x0: 0xab00_0000_0000_0001n, x1: DATA + 8n },
      { x0: 0xa000_0000_0000_0001n },
    ],
    ["ldg x1, [x1, #16]", 0xd9601021, { x1: DATA }, {}],
    ["ldgm x0, [x1]", 0xd9e00020, { x0: 9n, x1: DATA }, { x0: 0n }],
    ["stgm x0, [x1]", 0xd9a00020, { x0: 9n, x1: DATA, ...FULL }, {}],
    ["stzgm x0, [x1]", 0xd9200020, { x1: DATA + 24n, ...FULL }, { memory: ZERO2 }],
    ["ldgm x0, [x1]", 0xd9e00020, { el: 0, x1: DATA }, { exception: { el: 1, ec: 0, iss: 0 } }],
    ["stgm x0, [x1]", 0xd9a00020, { el: 0, x1: DATA }, { exception: { el: 1, ec: 0, iss: 0 } }],
    ["stzgm x0, [x1]", 0xd9200020, { el: 0, x1: DATA }, { exception: { el: 1, ec: 0, iss: 0 } }],
  ]);
});
