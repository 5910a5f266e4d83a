// ADR and ADRP: both ends of the range, and the page of the instruction.

import { describe } from "vitest";
import { CODE, checkRows } from "../instruction-rows.ts";

describe("PC-relative addressing", () => {
  checkRows([
    ["adr x0, .+1", 0x30000000, {}, { x0: CODE + 1n }],
    ["adr x0, .-1048576", 0x10800000, {}, { x0: CODE - 0x10_0000n }],
    ["adr x0, .+1048575", 0x707fffe0, {}, { x0: CODE + 0xf_ffffn }],
    // immhi:immlo is 1: one page.
    ["(adrp x0, next page)", 0xb000_0000, {}, { x0: CODE + 0x1000n }],
    // immhi:immlo is -2^20: 4 GiB below.
    ["(adrp x0, 4 GiB below)", 0x9080_0000, {}, { x0: CODE - 0x1_0000_0000n + (1n << 64n) }],
  ]);
});
