// The shapes of a fault that is put into the model by name, and of what became of it.

import type { Scenario } from "../../../model/scenario.ts";
import type { Walk } from "../../../properties/support/walks.ts";
import type { BranchName } from "../../../spec/branches/branch.ts";
import type { RuleId } from "../../../spec/findings.ts";

/** One place of one file that is written wrongly; `from` is there exactly once. */
export interface Change {
  readonly file: string;
  readonly from: string;
  readonly to: string;
}

/** A fault with a name. */
export interface NamedMutant {
  readonly id: `M${number}`;
  /** What the wrong system does, in one sentence. */
  readonly wrong: string;
  readonly change: Change;
  /** The rules that speak of it; one of them must be broken. */
  readonly spokenOfBy: readonly RuleId[];
}

/** A fault that a real branch has by nature: there it is the finding, and no mutant. */
export interface MutantThatIs {
  readonly id: `M${number}`;
  readonly wrong: string;
  readonly branch: BranchName;
  /** The rule that the branch breaks; `spec/findings.ts` has it. */
  readonly rule: RuleId;
}

/** A fault of the list that this model cannot have, and why. */
export interface Inexpressible {
  readonly id: `M${number}`;
  readonly wrong: string;
  readonly why: string;
}

/** What a hunt for one fault found. */
export type Hunted =
  | {
      readonly kind: "killed";
      readonly by: RuleId;
      readonly sentence: string;
      /** On what it was noticed first: the name of a walk, or the kind of scenario. */
      readonly way: string;
      /** The same, shrunk. */
      readonly witness: Walk | Scenario;
      /** Its steps up to the one that breaks the rule. */
      readonly steps: readonly string[];
      /** Model steps taken before it was noticed. */
      readonly searched: number;
    }
  | { readonly kind: "survived"; readonly searched: number; readonly others: readonly RuleId[] }
  /** The model stopped itself: it threw, or its descriptors and its abstract state parted. */
  | { readonly kind: "crashed"; readonly why: string; readonly searched: number };
