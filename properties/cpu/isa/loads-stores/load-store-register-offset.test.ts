// Load/store register (register offset): extensions, scaling, options that are not there.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const MAX = 0xffff_ffff_ffff_ffffn;
const at = (x1: bigint, x2: bigint) => ({ x1, x2, memory: [[DATA, VALUE]] }) as const;
const UNDEFINED = { exception: { el: 2, ec: 0, iss: 0 } } as const;

describe("load/store register (register offset)", () => {
  checkRows([
    ["ldr x0, [x1, x2]", 0xf8626820, at(DATA - 3n, 3n), { x0: VALUE }],
    ["ldr x0, [x1, x2, lsl #3]", 0xf8627820, at(DATA - 24n, 3n), { x0: VALUE }],
    [
      "ldr x0, [x1, w2, uxtw]",
      0xf8624820,
      at(DATA - 0xffff_ff00n + (1n << 64n), 0xf_ffff_ff00n),
      { x0: VALUE },
    ],
    ["ldr x0, [x1, w2, sxtw]", 0xf862c820, at(DATA + 8n, 0xffff_fff8n), { x0: VALUE }],
    ["ldr x0, [x1, w2, sxtw #3]", 0xf862d820, at(DATA + 8n, 0xffff_ffffn), { x0: VALUE }],
    ["ldr x0, [x1, x2, sxtx]", 0xf862e820, at(DATA + 1n, MAX), { x0: VALUE }],
    ["ldr w0, [x1, x2, lsl #2]", 0xb8627820, at(DATA, 1n), { x0: 0xfedc_ba98n }],
    ["ldrb w0, [x1, x2]", 0x38626820, at(DATA, 7n), { x0: 0xfen }],
    // Scaling a byte by its size is scaling by 1.
    ["ldrb w0, [x1, x2, lsl #0]", 0x38627820, at(DATA, 7n), { x0: 0xfen }],
    ["ldrh w0, [x1, x2, lsl #1]", 0x78627820, at(DATA, 3n), { x0: 0xfedcn }],
    ["ldrsb x0, [x1, x2]", 0x38a26820, at(DATA, 0n), { x0: 0xffff_ffff_ffff_ff80n }],
    ["ldrsh w0, [x1, x2]", 0x78e26820, at(DATA, 6n), { x0: 0xffff_fedcn }],
    ["ldrsw x0, [x1, x2]", 0xb8a26820, at(DATA, 4n), { x0: 0xffff_ffff_fedc_ba98n }],
    ["str x3, [x1, x2]", 0xf8226823, { ...at(DATA, 0n), x3: 9n }, { memory: [[DATA, 9n]] }],
    [
      "str w3, [sp, x2, lsl #2]",
      0xb8227be3,
      { sp: DATA, x2: 1n, x3: 9n },
      { memory: [[DATA, 9n << 32n]] },
    ],
    [
      "strb w3, [x1, x2]",
      0x38226823,
      { ...at(DATA, 0n), x3: 9n },
      { memory: [[DATA, VALUE - 0x77n]] },
    ],
    [
      "strh w3, [x1, w2, uxtw #1]",
      0x78225823,
      { ...at(DATA, 3n), x3: 9n },
      { memory: [[DATA, 0x0009_ba98_7654_3280n]] },
    ],
    ["prfm pldl1keep, [x1, x2]", 0xf8a26820, {}, {}],
    ["(option = 000)", 0xf862_0820, at(DATA, 0n), UNDEFINED],
    ["(option = 101)", 0xf822_a820, at(DATA, 0n), UNDEFINED],
  ]);
});
