// The trap of floating-point and Advanced SIMD instructions.

import { floatingPointTrap } from "../../exceptions/generate.ts";
import { takeException } from "../../exceptions/take.ts";
import type { Core } from "../../state.ts";
import { ENTERED, NEXT, type Outcome } from "../outcome.ts";

function CheckFPAdvSIMDEnabled(core: Core): Outcome {
  const exception = floatingPointTrap(core);
  if (exception === undefined) return NEXT;
  takeException(core, exception);
  return ENTERED;
}

export const floatingPointFunctions = { CheckFPAdvSIMDEnabled };
