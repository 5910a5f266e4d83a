// `branches`: the kernels that the model knows, or what tells two of them apart.

import type { Command } from "commander";
import { BRANCH_NAMES, type Branch } from "../../spec/branches/branch.ts";
import { BRANCHES, isBranchName } from "../../spec/branches/branches.ts";
import { branchDiff, branchList } from "../report/branch-lines.ts";
import { EXIT, exiting, UsageError } from "./exit.ts";

interface BranchesFlags {
  readonly diff?: readonly string[];
}

/** A branch by a name from outside. */
function branchNamed(name: string): Branch {
  if (!isBranchName(name)) {
    throw new UsageError(`--diff ${name}: known are ${BRANCH_NAMES.join(", ")}`);
  }
  return BRANCHES[name];
}

/** The two that are to be compared. */
function pairOf(names: readonly string[]): readonly [Branch, Branch] {
  const [a, b] = names;
  if (a === undefined || b === undefined || names.length > 2) {
    throw new UsageError(
      `--diff wants two branches, as in --diff ${BRANCH_NAMES.slice(0, 2).join(" ")}`,
    );
  }
  return [branchNamed(a), branchNamed(b)];
}

/** Declares `branches`. */
export function registerBranches(program: Command): void {
  program
    .command("branches")
    .description("list the kernel branches, or what tells two of them apart")
    .option("--diff <branches...>", "two branches: every difference, its source, how it is known")
    .action(
      exiting(({ diff }: BranchesFlags) => {
        const lines = diff === undefined ? branchList() : branchDiff(...pairOf(diff));
        process.stdout.write(`${lines.join("\n")}\n`);
        return EXIT.holds;
      }),
    );
}
