// Load/store register (unscaled immediate): both ends of the range, and all sizes.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const AT = (x1: bigint) => ({ x1, memory: [[DATA, VALUE]] }) as const;

describe("load/store register (unscaled immediate)", () => {
  checkRows([
    ["ldur x0, [x1, #-256]", 0xf8500020, AT(DATA + 256n), { x0: VALUE }],
    ["ldur x0, [x1, #255]", 0xf84ff020, AT(DATA - 255n), { x0: VALUE }],
    ["ldur w0, [x1, #4]", 0xb8404020, AT(DATA), { x0: 0xfedc_ba98n }],
    ["ldurb w0, [x1, #-1]", 0x385ff020, AT(DATA + 1n), { x0: 0x80n }],
    ["ldurh w0, [x1, #2]", 0x78402020, AT(DATA), { x0: 0x7654n }],
    ["ldursb x0, [x1, #0]", 0x38800020, AT(DATA), { x0: 0xffff_ffff_ffff_ff80n }],
    ["ldursb w0, [x1, #0]", 0x38c00020, AT(DATA), { x0: 0xffff_ff80n }],
    ["ldursh x0, [x1, #6]", 0x78806020, AT(DATA), { x0: 0xffff_ffff_ffff_fedcn }],
    ["ldursh w0, [x1, #6]", 0x78c06020, AT(DATA), { x0: 0xffff_fedcn }],
    ["ldursw x0, [x1, #4]", 0xb8804020, AT(DATA), { x0: 0xffff_ffff_fedc_ba98n }],
    ["stur x2, [x1, #-8]", 0xf81f8022, { ...AT(DATA + 8n), x2: 1n }, { memory: [[DATA, 1n]] }],
    [
      "stur w2, [x1, #4]",
      0xb8004022,
      { ...AT(DATA), x2: 1n },
      { memory: [[DATA, 0x1_7654_3280n]] },
    ],
    [
      "sturb w2, [x1, #3]",
      0x38003022,
      { ...AT(DATA), x2: 0x101n },
      { memory: [[DATA, 0xfedc_ba98_0154_3280n]] },
    ],
    [
      "sturh w2, [x1, #0]",
      0x78000022,
      { ...AT(DATA), x2: 1n },
      { memory: [[DATA, 0xfedc_ba98_7654_0001n]] },
    ],
    ["prfum pldl1keep, [x1, #1]", 0xf8801020, {}, {}],
  ]);
});
