// What generated code calls: the functions of bits/functions.ts, and how an instruction ends early.

import type { FunctionName } from "../bits/functions.ts";
import { unmodelled } from "../exceptions/exception.ts";
import { undefinedInstruction } from "../exceptions/generate.ts";
import { probeWrite, readMem, writeMem } from "../mmu/access.ts";
import {
  countLeadingZeros64,
  reverseBytes32,
  reverseBytes64,
  rotateRight32,
  rotateRight64,
  signedQuotient64,
  unsignedQuotient64,
} from "./arithmetic.ts";
import { checksumFunctions } from "./functions/checksum.ts";
import { exceptionFunctions } from "./functions/exceptions.ts";
import { floatingPointFunctions } from "./functions/floating-point.ts";
import { hintFunctions } from "./functions/hints.ts";
import { memoryFunctions } from "./functions/memory.ts";
import { memoryTagFunctions } from "./functions/memory-tags.ts";
import { pauthFunctions } from "./functions/pointer-authentication.ts";
import { systemFunctions } from "./functions/system.ts";
import { tagArithmeticFunctions } from "./functions/tag-choice.ts";

/** By the names that generated code uses; what each takes and gives, its signature says. */
export const engineFunctions = {
  countLeadingZeros64,
  reverseBytes32,
  reverseBytes64,
  rotateRight32,
  rotateRight64,
  signedQuotient64,
  unsignedQuotient64,
  readMem,
  writeMem,
  probeWrite,
  unmodelled,
  undefinedInstruction,
  ...memoryFunctions,
  ...tagArithmeticFunctions,
  ...memoryTagFunctions,
  ...floatingPointFunctions,
  ...exceptionFunctions,
  ...systemFunctions,
  ...hintFunctions,
  ...pauthFunctions,
  ...checksumFunctions,
} satisfies Record<FunctionName, unknown> & Record<string, unknown>;
