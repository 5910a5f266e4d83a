// ConstrainUnpredictable: where the architecture leaves a choice, the one that this core makes.

import { type Execution, NOP, undefinedThough } from "../../bits/effects.ts";

/** What the architecture may allow. Source: DDI0487 shared/functions/unpredictable/Constraint. */
export type Constraint = "NONE" | "WBSUPPRESS" | "UNDEF" | "NOP";

/**
 * The choices. They are those of Arm's published v8.5-A specification in Sail.
 * Source: DDI0487 K1.1 (AArch32) and K1.2 (AArch64) CONSTRAINED UNPREDICTABLE behaviours.
 */
export const choices = {
  /** CHOICE: a load that writes back to the register it loads keeps the loaded value. */
  WBOVERLAPLD: "WBSUPPRESS",
  /** CHOICE: a store that writes back to the register it stores stores the old value. */
  WBOVERLAPST: "NONE",
  /** CHOICE: a load pair of one register twice is UNDEFINED. */
  LDPOVERLAP: "UNDEF",
  /** CHOICE: a store-exclusive whose status register is also stored stores the old value. */
  DATAOVERLAP: "NONE",
  /** CHOICE: a store-exclusive whose status register is also the base uses the old value. */
  BASEOVERLAP: "NONE",
} as const satisfies Record<string, Constraint>;

export type Unpredictable = keyof typeof choices;

/**
 * What a CONSTRAINED UNPREDICTABLE instruction does, out of what its author wrote down for it.
 * Source: DDI0487 shared/functions/unpredictable/ConstrainUnpredictable.
 */
export function ConstrainUnpredictable(
  which: Unpredictable,
  alternatives: Partial<Record<"NONE" | "WBSUPPRESS", Execution>>,
): Execution {
  const choice = (choices as Record<Unpredictable, Constraint>)[which];
  if (choice === "UNDEF") return undefinedThough;
  if (choice === "NOP") return NOP;
  const effects = alternatives[choice];
  if (effects === undefined) throw new Error(`${which} cannot be ${choice}`);
  return effects;
}
