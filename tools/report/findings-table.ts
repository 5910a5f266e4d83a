// The table of known defects: which rule each breaks on which branch, how that is known, and where
// the way there is kept.

import type { BranchName } from "../../spec/branches/branch.ts";
import type { Defect } from "../../spec/defects.ts";
import { type Finding, findingOf, type RuleId } from "../../spec/findings.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";

/** A stored counterexample as the table names it. */
export interface StoredName {
  readonly file: string;
  readonly rule: RuleId;
  readonly system: SystemConfig;
}

/** One rule that a defect breaks on one branch. */
export interface Place {
  readonly branch: BranchName;
  readonly rule: RuleId;
  readonly finding: Finding;
  /** The file of the way there. */
  readonly file: string | undefined;
}

const onBranch = (branch: BranchName): SystemConfig => ({
  branch,
  build: "production",
  documented: false,
  cpuCount: 2,
});

/** Every rule of a defect on every branch that the model can say it of. */
export function placesOf(
  { rules, branches }: Defect,
  stored: readonly StoredName[],
): readonly Place[] {
  return rules.flatMap((rule) =>
    branches.flatMap((branch): Place[] => {
      const finding = findingOf(rule, onBranch(branch));
      if (finding === undefined) return [];
      const file = stored.find(
        (one) =>
          one.rule === rule &&
          one.system.branch === branch &&
          one.system.build === "production" &&
          !one.system.documented,
      )?.file;
      return [{ branch, rule, finding, file }];
    }),
  );
}

/** How a finding is known on a branch: what was measured was measured on one. */
export function evidenceOn({ evidence, source }: Finding, branch: BranchName): string {
  if (evidence !== "measured") return evidence;
  const traces = source.filter(({ text }) => text === "measured").map(({ at }) => at);
  return branch === "android14-6.1" || branch.startsWith("mainline")
    ? `measured: ${traces.join("; ")}`
    : "read";
}

const cell = (text: string): string => text.replaceAll("|", "\\|");

function row(defect: Defect, stored: readonly StoredName[]): string {
  const places = placesOf(defect, stored);
  const known = new Map<string, string[]>();
  for (const { rule, branch, finding, file } of places) {
    const how = evidenceOn(finding, branch);
    const name = file === undefined ? `${branch} (not stored)` : `[${branch}](${file})`;
    const key = `${rule}, ${how}`;
    known.set(key, [...(known.get(key) ?? []), name]);
  }
  const lines = [...known].map(([key, names]) => `${key}: ${names.join(", ")}`);
  const why = defect.why === undefined ? [] : [`*${defect.why}*`];
  return `| ${defect.id} | ${cell(defect.what)} | ${cell([...lines, ...why].join("<br>"))} |`;
}

const HEAD = `# The defects of real branches

Written by \`npx pkvm-spec findings --search\`. The numbers are those of the lists that the project
started from: F are failure paths of a load, O defects seen in the sources, E errata of the Android
page, B what was measured and is not what is meant; S is what a search came to first. The rule is
what is meant; a search finds that a branch breaks it, from a clean start, and not that others do
(\`properties/search\`). Where no rule stands, the model does not say it, and why.
`;

/** The table as it is committed. */
export function findingsTable(defects: readonly Defect[], stored: readonly StoredName[]): string {
  const modelled = defects.filter((defect) => placesOf(defect, stored).length > 0);
  const without = defects.length - modelled.length;
  return `${HEAD}
${defects.length} defects: ${modelled.length} found by search, ${without} with the reason why not.

| defect | what is wrong | rule, how it is known, the way there |
| --- | --- | --- |
${defects.map((defect) => row(defect, stored)).join("\n")}
`;
}
