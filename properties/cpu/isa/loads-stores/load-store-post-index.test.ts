// Load/store register (immediate post-indexed): the base is used, then changed, unless it fails.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const X1 = { x1: DATA, memory: [[DATA, VALUE]] } as const;

describe("load/store register (immediate post-indexed)", () => {
  checkRows([
    ["ldr x0, [x1], #-256", 0xf8500420, X1, { x0: VALUE, x1: DATA - 256n }],
    ["ldr w0, [x1], #255", 0xb84ff420, X1, { x0: 0x7654_3280n, x1: DATA + 255n }],
    ["ldrb w0, [x1], #1", 0x38401420, X1, { x0: 0x80n, x1: DATA + 1n }],
    ["ldrh w0, [x1], #2", 0x78402420, X1, { x0: 0x3280n, x1: DATA + 2n }],
    ["ldrsb w0, [x1], #1", 0x38c01420, X1, { x0: 0xffff_ff80n, x1: DATA + 1n }],
    ["ldrsh x0, [x1], #2", 0x78802420, X1, { x0: 0x3280n, x1: DATA + 2n }],
    ["ldrsw x0, [x1], #4", 0xb8804420, X1, { x0: 0x7654_3280n, x1: DATA + 4n }],
    ["str x0, [x1], #8", 0xf8008420, { ...X1, x0: 5n }, { x1: DATA + 8n, memory: [[DATA, 5n]] }],
    [
      "strb w0, [x1], #1",
      0x38001420,
      { ...X1, x0: 5n },
      { x1: DATA + 1n, memory: [[DATA, VALUE - 0x7bn]] },
    ],
    [
      "strh w0, [x1], #2",
      0x78002420,
      { ...X1, x0: 5n },
      { x1: DATA + 2n, memory: [[DATA, VALUE - 0x327bn]] },
    ],
    [
      "ldr x0, [sp], #16",
      0xf84107e0,
      { sp: DATA, memory: [[DATA, VALUE]] },
      { x0: VALUE, sp: DATA + 16n },
    ],
    // A fault leaves the base as it was.
    [
      "ldr x0, [x1], #8",
      0xf8408420,
      { x1: DATA + 1n },
      { exception: { el: 2, ec: 0x25, iss: 0x21, far: DATA + 1n } },
    ],
    [
      "str x0, [x1], #8",
      0xf8008420,
      { x1: DATA + 1n },
      { exception: { el: 2, ec: 0x25, iss: 0x61, far: DATA + 1n } },
    ],
    // CONSTRAINED UNPREDICTABLE: the loaded value stays; the stored value is the old one.
    ["(ldr x1, [x1], #8)", 0xf840_8421, X1, { x1: VALUE }],
    ["(str x1, [x1], #8)", 0xf800_8421, X1, { x1: DATA + 8n, memory: [[DATA, DATA]] }],
    // Register 31 is zero as data and SP as base: no overlap.
    [
      "str xzr, [sp], #16",
      0xf80107ff,
      { sp: DATA, memory: [[DATA, VALUE]] },
      { sp: DATA + 16n, memory: [[DATA, 0n]] },
    ],
  ]);
});
