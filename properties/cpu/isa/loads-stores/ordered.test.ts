// Load-acquire, store-release, and the limited-order forms.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const X1 = { x1: DATA, memory: [[DATA, VALUE]] } as const;

describe("load/store ordered", () => {
  checkRows([
    ["ldar x0, [x1]", 0xc8dffc20, X1, { x0: VALUE }],
    ["ldar w0, [x1]", 0x88dffc20, X1, { x0: 0x7654_3280n }],
    ["ldarb w0, [x1]", 0x08dffc20, X1, { x0: 0x80n }],
    ["ldarh w0, [x1]", 0x48dffc20, X1, { x0: 0x3280n }],
    ["ldlar x0, [x1]", 0xc8df7c20, X1, { x0: VALUE }],
    ["ldlarb w0, [x1]", 0x08df7c20, X1, { x0: 0x80n }],
    ["ldlarh w0, [x1]", 0x48df7c20, X1, { x0: 0x3280n }],
    ["stlr x2, [x1]", 0xc89ffc22, { ...X1, x2: 5n }, { memory: [[DATA, 5n]] }],
    ["stlr w2, [x1]", 0x889ffc22, { ...X1, x2: 5n }, { memory: [[DATA, 0xfedc_ba98_0000_0005n]] }],
    ["stlrb w2, [x1]", 0x089ffc22, { ...X1, x2: 5n }, { memory: [[DATA, VALUE - 0x7bn]] }],
    ["stlrh w2, [x1]", 0x489ffc22, { ...X1, x2: 5n }, { memory: [[DATA, VALUE - 0x327bn]] }],
    ["stllr x2, [x1]", 0xc89f7c22, { ...X1, x2: 5n }, { memory: [[DATA, 5n]] }],
    ["stllrb w2, [x1]", 0x089f7c22, { ...X1, x2: 5n }, { memory: [[DATA, VALUE - 0x7bn]] }],
    ["stllrh w2, [x1]", 0x489f7c22, { ...X1, x2: 5n }, { memory: [[DATA, VALUE - 0x327bn]] }],
    ["ldar x0, [x1]", 0xc8dffc20, { x1: DATA + 1n }, { exception: { el: 2, ec: 0x25, iss: 0x21 } }],
    ["(ldar with Rs = 0)", 0xc8c0_fc20, X1, { x0: VALUE }],
  ]);
});
