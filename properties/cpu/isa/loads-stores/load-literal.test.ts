// Load register (literal): relative to the instruction, in both directions.

import { describe } from "vitest";
import { CODE, checkRows } from "../instruction-rows.ts";

const LATER = { memory: [[CODE + 0x1000n, 0xfedc_ba98_7654_3280n]] } as const;

describe("load register (literal)", () => {
  checkRows([
    ["ldr x0, .+0x1000", 0x58008000, LATER, { x0: 0xfedc_ba98_7654_3280n }],
    ["ldr w0, .+0x1004", 0x18008020, LATER, { x0: 0xfedc_ba98n }],
    ["ldrsw x0, .+0x1004", 0x98008020, LATER, { x0: 0xffff_ffff_fedc_ba98n }],
    // The word itself.
    ["ldr w0, .", 0x18000000, {}, { x0: 0x1800_0000n }],
    ["prfm pldl1keep, .", 0xd8000000, {}, {}],
    [
      "ldr x0, .-1048576",
      0x58800000,
      {},
      { exception: { el: 2, ec: 0x25, iss: 0x10, far: CODE - 0x10_0000n } },
    ],
  ]);
});
