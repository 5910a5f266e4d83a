// Reserved: the permanently undefined instruction. Source: DDI0487 C4.1.1 Reserved.

import { undefinedThough } from "../bits/effects.ts";
import { instruction } from "../bits/instruction.ts";

const UDF = instruction({
  name: "UDF",
  source: "DDI0487 C6.2 UDF",
  encoding: "0000000000000000 imm16:16",
  execute: () => undefinedThough,
});

export const reserved = [UDF];
