// The capability that modules ask for has the number that kdir's headers give it.

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { CAPABILITIES } from "../../../model/kernel/capabilities.ts";

test("ARM64_HAS_LSE_ATOMICS is what the examples are compiled with", () => {
  const header = readFileSync("kdir/arch/arm64/include/asm/alternative.h", "utf8");
  const number = /#define ARM64_HAS_LSE_ATOMICS (\d+)/.exec(header)?.[1];
  expect([...CAPABILITIES]).toEqual([Number(number)]);
});
