// UDF, and words that no entry has.

import { describe } from "vitest";
import { checkRows } from "./instruction-rows.ts";

describe("reserved", () => {
  checkRows([
    ["udf #0", 0x00000000, { x0: 1n }, { exception: { el: 2, ec: 0, iss: 0 } }],
    ["udf #65535", 0x0000ffff, { el: 1 }, { exception: { el: 1, ec: 0, iss: 0 } }],
    ["(unallocated, at EL0)", 0x00010000, { el: 0 }, { exception: { el: 1, ec: 0, iss: 0 } }],
    [
      "(unallocated, at EL0 under HCR_EL2.TGE)",
      0x00010000,
      { el: 0, sysreg: { HCR_EL2: (1n << 31n) | (1n << 27n) } },
      { exception: { el: 2, ec: 0, iss: 0 } },
    ],
  ]);
});
