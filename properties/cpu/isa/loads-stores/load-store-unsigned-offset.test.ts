// Load/store register (unsigned immediate): sizes, extensions, scaling, register 31, alignment.

import { describe } from "vitest";
import { checkRows, DATA } from "../instruction-rows.ts";

const VALUE = 0xfedc_ba98_7654_3280n;
const X1 = { x1: DATA, memory: [[DATA, VALUE]] } as const;
const OLD = { x0: 0x1111_1111_1111_1111n } as const;

describe("load/store register (unsigned immediate)", () => {
  checkRows([
    ["ldr x0, [x1]", 0xf9400020, X1, { x0: VALUE }],
    ["ldr w0, [x1, #4]", 0xb9400420, { ...X1, ...OLD }, { x0: 0xfedc_ba98n }],
    ["ldrb w0, [x1, #7]", 0x39401c20, X1, { x0: 0xfen }],
    ["ldrh w0, [x1, #2]", 0x79400420, X1, { x0: 0x7654n }],
    ["ldrsb x0, [x1]", 0x39800020, X1, { x0: 0xffff_ffff_ffff_ff80n }],
    // The sign goes no further than the register that is named.
    ["ldrsb w0, [x1]", 0x39c00020, X1, { x0: 0xffff_ff80n }],
    ["ldrsh x0, [x1, #4]", 0x79800820, X1, { x0: 0xffff_ffff_ffff_ba98n }],
    ["ldrsh w0, [x1, #4]", 0x79c00820, X1, { x0: 0xffff_ba98n }],
    ["ldrsw x0, [x1, #4]", 0xb9800420, X1, { x0: 0xffff_ffff_fedc_ba98n }],
    [
      "ldr x0, [x1, #32760]",
      0xf97ffc20,
      { x1: DATA - 32760n, memory: [[DATA, VALUE]] },
      { x0: VALUE },
    ],
    ["ldr x0, [sp, #16]", 0xf9400be0, { sp: DATA - 16n, memory: [[DATA, VALUE]] }, { x0: VALUE }],
    // The load happens although nothing is written.
    ["ldr xzr, [x1]", 0xf940003f, X1, {}],
    ["str x0, [x1]", 0xf9000020, { ...X1, ...OLD }, { memory: [[DATA, OLD.x0]] }],
    ["str wzr, [x1, #4]", 0xb900043f, X1, { memory: [[DATA, 0x7654_3280n]] }],
    [
      "strb w0, [x1, #1]",
      0x39000420,
      { ...X1, x0: 0xabcdn },
      { memory: [[DATA, 0xfedc_ba98_7654_cd80n]] },
    ],
    [
      "strh w0, [x1, #6]",
      0x79000c20,
      { ...X1, x0: 0x1_abcdn },
      { memory: [[DATA, 0xabcd_ba98_7654_3280n]] },
    ],
    ["str x1, [x1]", 0xf9000021, X1, { memory: [[DATA, DATA]] }],
    ["prfm pldl1keep, [x1]", 0xf9800020, { x1: 1n }, {}],
    // Translation is off: Device memory, where an unaligned access faults. WnR is bit 6.
    [
      "ldr x0, [x1, #8]",
      0xf9400420,
      { x1: DATA + 4n },
      { exception: { el: 2, ec: 0x25, iss: 0x21, far: DATA + 12n } },
    ],
    [
      "str w0, [x1]",
      0xb9000020,
      { x1: DATA + 2n },
      { exception: { el: 2, ec: 0x25, iss: 0x61, far: DATA + 2n } },
    ],
    // Nothing is at address 0: a synchronous external abort.
    [
      "ldr x0, [x1]",
      0xf9400020,
      { x1: 0n },
      { exception: { el: 2, ec: 0x25, iss: 0x10, far: 0n } },
    ],
    // SCTLR_EL2.SA: a misaligned SP as base.
    [
      "ldr x0, [sp]",
      0xf94003e0,
      { sp: DATA + 8n, sysreg: { SCTLR_EL2: 8n } },
      { exception: { el: 2, ec: 0x26 } },
    ],
    ["ldr x0, [sp]", 0xf94003e0, { sp: DATA + 8n, memory: [[DATA + 8n, VALUE]] }, { x0: VALUE }],
  ]);
});
