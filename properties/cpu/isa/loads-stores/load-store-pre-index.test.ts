// Load/store register (immediate pre-indexed): the changed base is used, and kept if all goes well.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const AT = (x1: bigint) => ({ x1, memory: [[DATA, VALUE]] }) as const;

describe("load/store register (immediate pre-indexed)", () => {
  checkRows([
    ["ldr x0, [x1, #-256]!", 0xf8500c20, AT(DATA + 256n), { x0: VALUE, x1: DATA }],
    ["ldr w0, [x1, #4]!", 0xb8404c20, AT(DATA), { x0: 0xfedc_ba98n, x1: DATA + 4n }],
    ["ldrb w0, [x1, #7]!", 0x38407c20, AT(DATA), { x0: 0xfen, x1: DATA + 7n }],
    ["ldrh w0, [x1, #6]!", 0x78406c20, AT(DATA), { x0: 0xfedcn, x1: DATA + 6n }],
    ["ldrsb x0, [x1, #7]!", 0x38807c20, AT(DATA), { x0: 0xffff_ffff_ffff_fffen, x1: DATA + 7n }],
    ["ldrsh w0, [x1, #6]!", 0x78c06c20, AT(DATA), { x0: 0xffff_fedcn, x1: DATA + 6n }],
    ["ldrsw x0, [x1, #4]!", 0xb8804c20, AT(DATA), { x0: 0xffff_ffff_fedc_ba98n, x1: DATA + 4n }],
    [
      "str x0, [sp, #-16]!",
      0xf81f0fe0,
      { sp: DATA + 16n, x0: 5n },
      { sp: DATA, memory: [[DATA, 5n]] },
    ],
    [
      "str w0, [x1, #4]!",
      0xb8004c20,
      { ...AT(DATA), x0: 5n },
      { x1: DATA + 4n, memory: [[DATA, 0x5_7654_3280n]] },
    ],
    [
      "strb w0, [x1, #7]!",
      0x38007c20,
      { ...AT(DATA), x0: 5n },
      { x1: DATA + 7n, memory: [[DATA, 0x05dc_ba98_7654_3280n]] },
    ],
    [
      "strh w0, [x1, #6]!",
      0x78006c20,
      { ...AT(DATA), x0: 5n },
      { x1: DATA + 6n, memory: [[DATA, 0x0005_ba98_7654_3280n]] },
    ],
    [
      "str x0, [x1, #8]!",
      0xf8008c20,
      { x1: DATA + 1n },
      { exception: { el: 2, ec: 0x25, iss: 0x61, far: DATA + 9n } },
    ],
    // CONSTRAINED UNPREDICTABLE: the loaded value stays; the stored value is the old one.
    ["(ldr x1, [x1, #8]!)", 0xf840_8c21, { x1: DATA - 8n, memory: [[DATA, VALUE]] }, { x1: VALUE }],
    [
      "(str x1, [x1, #8]!)",
      0xf800_8c21,
      { x1: DATA - 8n },
      { x1: DATA, memory: [[DATA, DATA - 8n]] },
    ],
  ]);
});
