// ADDG and SUBG: the tag moves among those that are not excluded; the address does not touch it.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

/** SCTLR_EL2.ATA: allocation tags are in use at EL2. */
const ATA = { SCTLR_EL2: 1n << 43n };

describe("add/subtract (immediate, with tags)", () => {
  checkRows([
    // Without tags in use, the tag of the result is zero.
    [
      "addg x0, x1, #16, #3",
      0x91810c20,
      { x1: 0xf500_0000_0000_1000n },
      { x0: 0xf000_0000_0000_1010n },
    ],
    [
      "addg x0, x1, #16, #3",
      0x91810c20,
      { x1: 0xf500_0000_0000_1000n, sysreg: ATA },
      { x0: 0xf800_0000_0000_1010n },
    ],
    // 15 + 1 wraps to 0.
    ["addg x0, x1, #0, #1", 0x91800420, { x1: 0x0f00n << 48n, sysreg: ATA }, { x0: 0n }],
    // Tags 6 and 7 are excluded: one step from 5 is 8.
    [
      "addg sp, sp, #1008, #1",
      0x91bf07ff,
      { sp: 0x0500n << 48n, sysreg: { ...ATA, GCR_EL1: 0xc0n } },
      { sp: (0x0800n << 48n) + 1008n },
    ],
    // An offset of 0 still leaves an excluded tag.
    [
      "subg x0, x1, #0, #0",
      0xd1800020,
      { x1: 0x0600n << 48n, sysreg: { ...ATA, GCR_EL1: 0xc0n } },
      { x0: 0x0800n << 48n },
    ],
    // All excluded: zero. The borrow out of the address ends in the bits that the tag replaces.
    [
      "subg x0, x1, #16, #1",
      0xd1810420,
      { x1: 0x0300n << 48n, sysreg: { ...ATA, GCR_EL1: 0xffffn } },
      { x0: 0x00ff_ffff_ffff_fff0n },
    ],
  ]);
});
