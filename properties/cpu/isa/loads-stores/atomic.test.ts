// Atomic memory operations: each operation, each size, what is given back; LDAPR.

import { describe } from "vitest";
import { cortexA76 } from "../../../../cpu/cpu-model.ts";
import { checkRows, DATA } from "../instruction-rows.ts";

const M = 0x8000_0000_0000_00f0n;
const at = (x2: bigint) => ({ x1: DATA, x2, memory: [[DATA, M]] }) as const;

describe("atomic memory operations", () => {
  checkRows([
    ["ldadd x2, x0, [x1]", 0xf8220020, at(1n << 63n), { x0: M, memory: [[DATA, 0xf0n]] }],
    ["ldaddal w2, w0, [x1]", 0xb8e20020, at(0xffff_ffffn), { x0: 0xf0n, memory: [[DATA, M - 1n]] }],
    // A byte wraps within itself.
    ["ldaddb w2, w0, [x1]", 0x38220020, at(0x10n), { x0: 0xf0n, memory: [[DATA, 1n << 63n]] }],
    ["ldaddah w2, w0, [x1]", 0x78a20020, at(0xff10n), { x0: 0xf0n, memory: [[DATA, 1n << 63n]] }],
    [
      "ldclr x2, x0, [x1]",
      0xf8221020,
      at(0x8000_0000_0000_0010n),
      { x0: M, memory: [[DATA, 0xe0n]] },
    ],
    [
      "ldeor x2, x0, [x1]",
      0xf8222020,
      at(0xffn),
      { x0: M, memory: [[DATA, 0x8000_0000_0000_000fn]] },
    ],
    ["ldset x2, x0, [x1]", 0xf8223020, at(0x0fn), { x0: M, memory: [[DATA, M + 0xfn]] }],
    // Signed and unsigned comparison: the top bit is set in memory.
    ["ldsmax x2, x0, [x1]", 0xf8224020, at(1n), { x0: M, memory: [[DATA, 1n]] }],
    ["ldsmin x2, x0, [x1]", 0xf8225020, at(1n), { x0: M }],
    ["ldumax x2, x0, [x1]", 0xf8226020, at(1n), { x0: M }],
    ["ldumin x2, x0, [x1]", 0xf8227020, at(1n), { x0: M, memory: [[DATA, 1n]] }],
    [
      "ldsmaxb w2, w0, [x1]",
      0x38224020,
      at(0x01n),
      { x0: 0xf0n, memory: [[DATA, 0x8000_0000_0000_0001n]] },
    ],
    [
      "ldsminh w2, w0, [x1]",
      0x78225020,
      at(0x8000n),
      { x0: 0xf0n, memory: [[DATA, 0x8000_0000_0000_8000n]] },
    ],
    [
      "ldumaxb w2, w0, [x1]",
      0x38226020,
      at(0xf1n),
      { x0: 0xf0n, memory: [[DATA, 0x8000_0000_0000_00f1n]] },
    ],
    [
      "lduminl w2, w0, [x1]",
      0xb8627020,
      at(0x1_0000_0000n),
      { x0: 0xf0n, memory: [[DATA, 1n << 63n]] },
    ],
    ["swp x2, x0, [x1]", 0xf8228020, at(7n), { x0: M, memory: [[DATA, 7n]] }],
    [
      "swpalh w2, w0, [x1]",
      0x78e28020,
      at(0x1_1234n),
      { x0: 0xf0n, memory: [[DATA, 0x8000_0000_0000_1234n]] },
    ],
    [
      "swpb w2, w0, [x1]",
      0x38228020,
      at(7n),
      { x0: 0xf0n, memory: [[DATA, 0x8000_0000_0000_0007n]] },
    ],
    // Rs and Rt may be the same; SP may be the base; the old value may be discarded.
    ["ldadd x2, x2, [x1]", 0xf8220022, at(0x10n), { x2: M, memory: [[DATA, M + 0x10n]] }],
    [
      "swp xzr, x0, [sp]",
      0xf83f83e0,
      { sp: DATA, memory: [[DATA, M]] },
      { x0: M, memory: [[DATA, 0n]] },
    ],
    ["stadd x2, [x1]", 0xf822003f, at(0x10n), { memory: [[DATA, M + 0x10n]] }],
    ["staddlh w2, [x1]", 0x7862003f, at(0xff10n), { memory: [[DATA, 1n << 63n]] }],
    ["stclrb w2, [x1]", 0x3822103f, at(0xf0n), { memory: [[DATA, 1n << 63n]] }],
    ["steor w2, [x1]", 0xb822203f, at(0xffn), { memory: [[DATA, M - 0xf0n + 0xfn]] }],
    ["stset x2, [x1]", 0xf822303f, at(1n), { memory: [[DATA, M + 1n]] }],
    ["stsmax x2, [x1]", 0xf822403f, at(0n), { memory: [[DATA, 0n]] }],
    ["stsmin x2, [x1]", 0xf822503f, at(0n), {}],
    ["stumax x2, [x1]", 0xf822603f, at(0n), {}],
    ["stumin x2, [x1]", 0xf822703f, at(0n), { memory: [[DATA, 0n]] }],
    // The read fails first: WnR is 0.
    [
      "ldadd x2, x0, [x1]",
      0xf8220020,
      { x1: DATA + 4n },
      { exception: { el: 2, ec: 0x25, iss: 0x21, far: DATA + 4n } },
    ],
    ["ldapr x0, [x1]", 0xf8bfc020, at(0n), { x0: M }],
    ["ldapr w0, [x1]", 0xb8bfc020, { ...at(0n), model: cortexA76 }, { x0: 0xf0n }],
    ["ldaprb w0, [x1]", 0x38bfc020, at(0n), { x0: 0xf0n }],
    ["ldaprh w0, [x1]", 0x78bfc020, at(0n), { x0: 0xf0n }],
    ["(o3 = 1, opc = 001)", 0xf822_9020, at(0n), { exception: { el: 2, ec: 0, iss: 0 } }],
  ]);
});
