// The version string that a kernel of a branch has, and that its modules must carry.

import type { BranchName } from "../../spec/branches/branch.ts";

/**
 * Source: vermagic of modules built for each branch; android14-6.1 as measured, the others as their
 * release reads.
 */
const VERMAGIC: Readonly<Record<BranchName, string | undefined>> = {
  "android14-6.1": undefined,
  "android15-6.6": undefined,
  "android16-6.12": undefined,
  "android17-6.18": undefined,
  "mainline-6.1": undefined,
  "mainline-6.12": undefined,
  "mainline-7.3": undefined,
};

/**
 * CHOICE: undefined accepts what a module says. A user's module carries the vermagic of their
 * kernel, which only that
 * kernel can refuse; the branch is taken from it, and a module of another branch is what the
 * checker looks for.
 */
export const branchVermagic = (branch: BranchName): string | undefined => VERMAGIC[branch];
