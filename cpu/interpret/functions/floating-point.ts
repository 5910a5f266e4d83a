// The trap of floating-point and Advanced SIMD instructions.

import { floatingPointTrap } from "../../exceptions/generate.ts";
import type { Core } from "../../state.ts";
import { NEXT, type Outcome } from "../outcome.ts";

export const floatingPointFunctions = {
  CheckFPAdvSIMDEnabled: (core: Core): Outcome => floatingPointTrap(core) ?? NEXT,
};
