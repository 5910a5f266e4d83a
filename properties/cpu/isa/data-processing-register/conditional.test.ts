// Conditional compare and select: conditions that hold, that fail, and the two that always hold.

import { describe } from "vitest";
import { checkRows, type Row } from "../instruction-rows.ts";

const XY = { x1: 10n, x2: 20n };

/** CSEL X0, X1, X2 for each condition with the flags that decide it: first where it holds. */
const conditions: readonly Row[] = (
  [
    ["eq", "Z", "NCV"],
    ["ne", "NCV", "Z"],
    ["cs", "C", "NZV"],
    ["cc", "NZV", "C"],
    ["mi", "N", "ZCV"],
    ["pl", "ZCV", "N"],
    ["vs", "V", "NZC"],
    ["vc", "NZC", "V"],
    ["hi", "C", "ZC"],
    ["ls", "ZC", "C"],
    ["ge", "NV", "N"],
    ["lt", "V", "NV"],
    ["gt", "NV", "NZV"],
    ["le", "Z", ""],
  ] as const
).flatMap(([name, holds, fails], cond): Row[] => {
  const word = 0x9a82_0020 + cond * 0x1000;
  return [
    [`csel x0, x1, x2, ${name} with ${holds}`, word, { ...XY, nzcv: holds }, { x0: 10n }],
    [`csel x0, x1, x2, ${name} with "${fails}"`, word, { ...XY, nzcv: fails }, { x0: 20n }],
  ];
});

describe("conditional select", () => {
  checkRows([
    ...conditions,
    ["csel x0, x1, x2, al", 0x9a82e020, { ...XY }, { x0: 10n }],
    ["csel x0, x1, x2, nv", 0x9a82f020, { ...XY, nzcv: "NZCV" }, { x0: 10n }],
    ["csinc x0, x1, x2, eq", 0x9a820420, { ...XY }, { x0: 21n }],
    ["csinc w0, w1, w2, eq", 0x1a820420, { x2: 0xffff_ffffn }, { x0: 0n }],
    ["cset x0, ne", 0x9a9f07e0, {}, { x0: 1n }],
    ["csinv x0, x1, x2, eq", 0xda820020, { ...XY }, { x0: 0xffff_ffff_ffff_ffebn }],
    ["csetm w0, ne", 0x5a9f03e0, {}, { x0: 0xffff_ffffn }],
    ["csneg x0, x1, x2, eq", 0xda820420, { ...XY }, { x0: 0xffff_ffff_ffff_ffecn }],
    ["cneg w0, w1, al", 0x5a81_f420, { x1: 1n }, { x0: 1n }],
  ]);
});

describe("conditional compare", () => {
  checkRows([
    ["ccmp x1, x2, #0, eq", 0xfa420020, { x1: 1n, x2: 1n, nzcv: "Z" }, { nzcv: "ZC" }],
    ["ccmp x1, x2, #10, eq", 0xfa42002a, { x1: 1n, x2: 1n, nzcv: "" }, { nzcv: "NC" }],
    ["ccmp w1, #31, #0, ne", 0x7a5f1820, { x1: 0xf_0000_001fn }, { nzcv: "ZC" }],
    ["ccmp x1, #0, #15, ne", 0xfa40182f, { nzcv: "Z" }, { nzcv: "NZCV" }],
    ["ccmn x1, x2, #0, al", 0xba42e020, { x1: 1n, x2: 0xffff_ffff_ffff_ffffn }, { nzcv: "ZC" }],
    ["ccmn w1, #1, #0, al", 0x3a41e820, { x1: 0x7fff_ffffn }, { nzcv: "NV" }],
  ]);
});
