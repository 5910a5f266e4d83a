// What generated code calls: the functions of bits/functions.ts, and how an instruction ends early.

import type { FunctionName } from "../bits/functions.ts";
import type { Exception, Unmodelled } from "../exceptions/exception.ts";
import { undefinedInstruction as undefinedException } from "../exceptions/generate.ts";
import { takeException } from "../exceptions/take.ts";
import { probeWrite, readMem, writeMem } from "../mmu/access.ts";
import type { Core } from "../state.ts";
import { checksumFunctions } from "./functions/checksum.ts";
import { exceptionFunctions } from "./functions/exceptions.ts";
import { floatingPointFunctions } from "./functions/floating-point.ts";
import { hintFunctions } from "./functions/hints.ts";
import { memoryFunctions } from "./functions/memory.ts";
import { memoryTagFunctions } from "./functions/memory-tags.ts";
import { pointerAuthenticationFunctions } from "./functions/pointer-authentication.ts";
import { systemFunctions } from "./functions/system.ts";
import { tagArithmeticFunctions } from "./functions/tag-choice.ts";
import { ENTERED, type Outcome } from "./outcome.ts";

/** Ends the instruction with an exception, or with a stop where something is not modelled. */
export function raise(core: Core, what: Exception | Unmodelled): Outcome {
  if (what.type === "unmodelled") return unmodelled(core, what.what);
  takeException(core, what);
  return ENTERED;
}

function unmodelled(core: Core, what: string): Outcome {
  return { kind: "unmodelled", what, word: 0, pc: core.pc };
}

function undefinedInstruction(core: Core): Outcome {
  takeException(core, undefinedException(core));
  return ENTERED;
}

/** By the names that generated code uses; what each takes and gives, its signature says. */
export const engineFunctions = {
  readMem,
  writeMem,
  probeWrite,
  raise,
  unmodelled,
  undefinedInstruction,
  ...memoryFunctions,
  ...tagArithmeticFunctions,
  ...memoryTagFunctions,
  ...floatingPointFunctions,
  ...exceptionFunctions,
  ...systemFunctions,
  ...hintFunctions,
  ...pointerAuthenticationFunctions,
  ...checksumFunctions,
} satisfies Record<FunctionName, unknown> & Record<string, unknown>;
