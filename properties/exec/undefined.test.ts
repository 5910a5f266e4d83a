// `exec` names what was UNDEFINED: a register that does not exist, one that is not for this level.

import { expect, it } from "vitest";
import { execText } from "../../tools/exec/exec-text.ts";
import { execImage } from "../../tools/exec.ts";

/** MRS X0 of a register of op0 3; op1 is at bit 16, CRn 12, CRm 8, op2 5. */
const MRS = 0xd538_0000;
const mrs = (op1: number, CRn: number, CRm: number, op2: number): number =>
  (MRS & ~0x0007_0000) | (op1 << 16) | (CRn << 12) | (CRm << 8) | (op2 << 5);

function stopped(word: number, el: 0 | 1 | 2): string {
  const image = new Uint8Array(Uint32Array.from([word]).buffer);
  return execText(execImage({ image, at: 0x4100_0000n, el }));
}

it.each<[string, number, 0 | 1 | 2, string]>([
  ["a register that nobody has", mrs(3, 13, 0, 7), 2, "d53bd0e0, MRS S3_3_C13_C0_7"],
  ["a register of EL2 at EL1", mrs(4, 1, 1, 0), 1, "d53c1100, MRS HCR_EL2 (S3_4_C1_C1_0)"],
  ["a register that is only written", 0xd530_1080, 2, "d5301080, MRS OSLAR_EL1 (S2_0_C1_C0_4)"],
  ["a system instruction", 0xd508_7f00, 2, "d5087f00, SYS S1_0_C7_C15_0"],
  ["a word without an entry", 0x0001_0000, 2, "00010000, unallocated"],
  ["UDF", 7, 2, "00000007, UDF"],
])("%s", (_name, word, el, text) => {
  expect(stopped(word, el)).toContain(`\n          UNDEFINED: ${text}\n`);
});

it("a trap is not", () => {
  // SVC.
  expect(stopped(0xd400_0001, 0)).not.toContain("UNDEFINED");
});
