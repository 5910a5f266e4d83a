// Load/store register (unprivileged): all sizes. Permissions are the translation tests' matter.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const X1 = { x1: DATA, memory: [[DATA, VALUE]] } as const;

describe("load/store register (unprivileged)", () => {
  checkRows([
    ["ldtr x0, [x1]", 0xf8400820, X1, { x0: VALUE }],
    ["ldtr w0, [x1, #4]", 0xb8404820, { ...X1, el: 1 }, { x0: 0xfedc_ba98n }],
    ["ldtrb w0, [x1, #7]", 0x38407820, X1, { x0: 0xfen }],
    ["ldtrh w0, [x1, #2]", 0x78402820, X1, { x0: 0x7654n }],
    ["ldtrsb w0, [x1]", 0x38c00820, X1, { x0: 0xffff_ff80n }],
    ["ldtrsh x0, [x1, #6]", 0x78806820, X1, { x0: 0xffff_ffff_ffff_fedcn }],
    ["ldtrsw x0, [x1, #4]", 0xb8804820, X1, { x0: 0xffff_ffff_fedc_ba98n }],
    ["sttr x2, [x1]", 0xf8000822, { ...X1, x2: 3n }, { memory: [[DATA, 3n]] }],
    ["sttr w2, [x1, #4]", 0xb8004822, { ...X1, x2: 3n }, { memory: [[DATA, 0x3_7654_3280n]] }],
    [
      "sttrb w2, [x1, #1]",
      0x38001822,
      { ...X1, x2: 3n },
      { memory: [[DATA, 0xfedc_ba98_7654_0380n]] },
    ],
    [
      "sttrh w2, [x1, #6]",
      0x78006822,
      { ...X1, x2: 3n },
      { memory: [[DATA, 0x0003_ba98_7654_3280n]] },
    ],
  ]);
});
