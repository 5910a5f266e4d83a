// The program counter after a branch: without the top byte, where that is ignored.

import type { Core } from "../state.ts";
import { controlsOf, rangeOf, stage1Of } from "./regime.ts";

/**
 * The address that a branch goes to: with TBI for instructions, bits 63 to 56 become copies of bit
 * 55, or zero where the regime has one range. Source: DDI0487 AArch64.BranchAddr.
 */
export function branchAddress(core: Core, target: bigint): bigint {
  // Bits 63 to 55 are zero: nothing to ignore.
  if (target < 1n << 55n) return target;
  const stage1 = stage1Of(controlsOf(core), core.pstate.EL);
  if (!rangeOf(stage1, target).tbiInstruction) return target;
  const low = BigInt.asUintN(56, target);
  const signed = stage1.upper !== undefined && low >> 55n === 1n;
  return signed ? low | (0xffn << 56n) : low;
}
