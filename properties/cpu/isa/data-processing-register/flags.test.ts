// RMIF, SETF8 and SETF16: which flags are written, and which are kept.

import { describe } from "vitest";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { checkRows } from "../instruction-rows.ts";

describe("rotate right into flags", () => {
  checkRows([
    ["rmif x1, #0, #15", 0xba00042f, { x1: 0b1010n }, { nzcv: "NC" }],
    ["rmif x1, #4, #15", 0xba02042f, { x1: 0x60n }, { nzcv: "ZC" }],
    // The rotation brings bit 0 to bit 1 at 63.
    ["rmif x1, #63, #2", 0xba1f8422, { x1: 1n, nzcv: "N" }, { nzcv: "NC" }],
    ["rmif x1, #0, #0", 0xba000420, { x1: 15n, nzcv: "V" }, { nzcv: "V" }],
    [
      "(rmif without FEAT_FlagM)",
      0xba00_042f,
      { model: cortexA76 },
      { exception: { el: 2, ec: 0, iss: 0 } },
    ],
  ]);
});

describe("evaluate into flags", () => {
  checkRows([
    ["setf8 w1", 0x3a00082d, { x1: 0x80n, nzcv: "C" }, { nzcv: "NCV" }],
    ["setf8 w1", 0x3a00082d, { x1: 0x180n }, { nzcv: "N" }],
    ["setf8 w1", 0x3a00082d, { x1: 0x100n }, { nzcv: "ZV" }],
    ["setf8 w1", 0x3a00082d, { x1: 0xff00n, nzcv: "CN" }, { nzcv: "ZCV" }],
    ["setf16 w1", 0x3a00482d, { x1: 0x8000n }, { nzcv: "NV" }],
    ["setf16 w1", 0x3a00482d, { x1: 0x1_8000n }, { nzcv: "N" }],
    ["setf16 w1", 0x3a00482d, { x1: 0x2_0000n }, { nzcv: "Z" }],
  ]);
});
