// Data-processing (2 source): division at its edges, variable shifts, checksums, PACGA.

import { describe } from "vitest";
import { checkRows } from "../instruction-rows.ts";

const MAX = 0xffff_ffff_ffff_ffffn;
const MIN = 1n << 63n;

describe("data-processing (2 source)", () => {
  checkRows([
    ["udiv x0, x1, x2", 0x9ac20820, { x1: MAX, x2: 2n }, { x0: MAX >> 1n }],
    ["udiv x0, x1, x2", 0x9ac20820, { x1: MAX, x2: 0n }, { x0: 0n }],
    ["udiv w0, w1, w2", 0x1ac20820, { x1: 0x5_0000_0007n, x2: 0x9_0000_0002n }, { x0: 3n }],
    ["udiv w0, w1, w2", 0x1ac20820, { x1: 0xffff_ffffn, x2: 0n }, { x0: 0n }],
    // Towards zero; the one overflow gives back the dividend.
    ["sdiv x0, x1, x2", 0x9ac20c20, { x1: MAX - 6n, x2: 2n }, { x0: MAX - 2n }],
    ["sdiv x0, x1, x2", 0x9ac20c20, { x1: MIN, x2: MAX }, { x0: MIN }],
    ["sdiv x0, x1, x2", 0x9ac20c20, { x1: MIN, x2: 0n }, { x0: 0n }],
    ["sdiv w0, w1, w2", 0x1ac20c20, { x1: 0x8000_0000n, x2: 0xffff_ffffn }, { x0: 0x8000_0000n }],
    ["sdiv w0, w1, w2", 0x1ac20c20, { x1: 7n, x2: 0xffff_fffen }, { x0: 0xffff_fffdn }],
    // Amounts are taken modulo the width.
    ["lsl x0, x1, x2", 0x9ac22020, { x1: 1n, x2: 64n + 63n }, { x0: MIN }],
    ["lsl w0, w1, w2", 0x1ac22020, { x1: 1n, x2: 32n }, { x0: 1n }],
    ["lsr x0, x1, x2", 0x9ac22420, { x1: MAX, x2: 60n }, { x0: 15n }],
    ["asr x0, x1, x2", 0x9ac22820, { x1: MIN, x2: 63n }, { x0: MAX }],
    ["asr w0, w1, w2", 0x1ac22820, { x1: 0x8000_0000n, x2: 0x104n }, { x0: 0xf800_0000n }],
    ["ror x0, x1, x2", 0x9ac22c20, { x1: 1n, x2: 1n }, { x0: MIN }],
    ["ror w0, w1, w2", 0x1ac22c20, { x1: 0x1234_5678n, x2: 8n }, { x0: 0x7812_3456n }],
    // One bit at the end of a byte gives the polynomial itself, with its bits reversed.
    ["crc32b w0, w1, w2", 0x1ac24020, { x1: 0n, x2: 0x180n }, { x0: 0xedb8_8320n }],
    ["crc32b w0, w1, w2", 0x1ac24020, { x1: 0x80n, x2: 0n }, { x0: 0xedb8_8320n }],
    ["crc32cb w0, w1, w2", 0x1ac25020, { x1: 0n, x2: 0x80n }, { x0: 0x82f6_3b78n }],
    // Only the size's bytes count.
    ["crc32h w0, w1, w2", 0x1ac24420, { x1: 0n, x2: 0x1_8000n }, { x0: 0xedb8_8320n }],
    ["crc32x w0, w1, x2", 0x9ac24c20, { x1: 0n, x2: MIN }, { x0: 0xedb8_8320n }],
    ["crc32cw w0, w1, w2", 0x1ac25820, { x1: 0n, x2: 0xf_8000_0000n }, { x0: 0x82f6_3b78n }],
    ["(crc32x with sf = 0)", 0x1ac2_4c20, {}, { exception: { el: 2, ec: 0, iss: 0 } }],
    // The upper half of QARMA5: the test vector of Avanzi's paper is c003b93999b33765.
    [
      "pacga x0, x1, x2",
      0x9ac23020,
      {
        x1: 0xfb62_3599_da6e_8127n,
        x2: 0x477d_469d_ec0b_8762n,
        sysreg: { APGAKeyHi_EL1: 0x84be_85ce_9804_e94bn, APGAKeyLo_EL1: 0xec28_02d4_e0a4_88e9n },
      },
      { x0: 0xc003_b939_0000_0000n },
    ],
  ]);
});
