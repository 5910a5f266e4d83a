// Branches for people: a row each, or two of them side by side, in fewer than 80 columns.

import { BRANCH_NAMES, type Branch, type OpsSlot } from "../../spec/branches/branch.ts";
import { BRANCHES } from "../../spec/branches/branches.ts";
import { evidenceOf, FACTS, type Fact } from "../../spec/branches/facts.ts";
import type { Evidence } from "../../spec/sources.ts";
import { TEXTS } from "../../spec/sources.ts";

const WIDTH = 79;
const NAME = 16;

/** Words in lines that are not longer than the terminal, each behind an indent. */
function wrapped(words: readonly string[], indent: string): readonly string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of words) {
    const longer = line === "" ? `${indent}${word}` : `${line} ${word}`;
    if (longer.length > WIDTH && line !== "") {
      lines.push(line);
      line = `${indent}${word}`;
    } else line = longer;
  }
  return line === "" ? lines : [...lines, line];
}

/** A value of a table in few words. */
function valueText(value: unknown): string {
  if (value === undefined) return "none";
  if (typeof value === "boolean") return value ? "yes" : "no";
  if (typeof value === "bigint") return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.length === 0 ? "none" : value.map(valueText).join(", ");
  if (typeof value !== "object" || value === null) return String(value);
  const record = value as Record<string, unknown>;
  if ("first" in record && "last" in record) {
    return [record["first"], record["last"]]
      .map((frame) => `0x${Number(frame).toString(16)}`)
      .join("..");
  }
  if ("prot" in record) return String(record["name"]);
  return Object.entries(record)
    .filter(([key]) => key !== "evidence")
    .map(([key, part]) => `${key} ${valueText(part)}`)
    .join("; ");
}

/** One side of a difference: whose, what, and how it is known. */
const sideLines = (branch: Branch, text: string, evidence: Evidence): readonly string[] => {
  const [first = "", ...rest] = wrapped(
    [...text.split(" "), `[${evidence}]`],
    " ".repeat(NAME + 2),
  );
  return [`  ${branch.name.padEnd(NAME)}${first.slice(NAME + 2)}`, ...rest];
};

/** One fact in which the two differ; nothing where they agree. */
function factLines(fact: Fact, a: Branch, b: Branch): readonly string[] {
  const [left, right] = [valueText(a[fact.key]), valueText(b[fact.key])];
  if (left === right) return [];
  return [
    "",
    ...wrapped(`${fact.key}: ${fact.what}`.split(" "), ""),
    ...sideLines(a, left, evidenceOf(a, fact.key)),
    ...sideLines(b, right, evidenceOf(b, fact.key)),
    ...wrapped(`source: ${fact.at}`.split(" "), "  "),
  ];
}

/** A list of names under a heading; nothing if there are none. */
const listLines = (heading: string, names: readonly string[]): readonly string[] =>
  names.length === 0 ? [] : [`  ${heading}:`, ...wrapped(names, "    ")];

/** Names in two tables: only in one, and at another place in the other. */
function tableLines(
  title: string,
  a: Branch,
  b: Branch,
  placesOf: (branch: Branch) => ReadonlyMap<string, number>,
  evidence: (branch: Branch) => Evidence,
): readonly string[] {
  const [left, right] = [placesOf(a), placesOf(b)];
  const onlyIn = (one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>) =>
    [...one].filter(([name]) => !other.has(name)).map(([name, at]) => `${name} (${at})`);
  const moved = [...left].flatMap(([name, at]) => {
    const now = right.get(name);
    return now === undefined || now === at ? [] : [`${name} (${at} to ${now})`];
  });
  const lines = [
    ...listLines(`only ${a.name}`, onlyIn(left, right)),
    ...listLines(`only ${b.name}`, onlyIn(right, left)),
    ...listLines("moved", moved),
  ];
  if (lines.length === 0) return [];
  const known = `${a.name} ${evidence(a)}, ${b.name} ${evidence(b)}`;
  return ["", `${title}: ${left.size} and ${right.size} (${known})`, ...lines];
}

const hcallPlaces = ({ hcalls }: Branch): ReadonlyMap<string, number> =>
  new Map(hcalls.map((name, at) => [name, at]));
const opPlaces = ({ ops }: Branch): ReadonlyMap<string, number> =>
  new Map(ops.flatMap(({ op, slot }: OpsSlot) => (op === undefined ? [] : [[op, slot]])));

/** Ops that both have, with other arguments. */
function signatureLines(a: Branch, b: Branch): readonly string[] {
  const theirs = new Map(b.ops.map(({ op, signature }) => [op, signature]));
  return a.ops.flatMap(({ op, signature }) => {
    const other = op === undefined ? undefined : theirs.get(op);
    if (op === undefined || other === undefined || other === signature) return [];
    return [
      "",
      `op ${op}: its arguments`,
      ...sideLines(a, signature ?? "", a.evidence),
      ...sideLines(b, other, b.evidence),
    ];
  });
}

/** Every difference of two branches. */
export function branchDiff(a: Branch, b: Branch): readonly string[] {
  const differences = FACTS.map((fact) => factLines(fact, a, b)).filter(({ length }) => length > 0);
  return [
    `${a.name} (${a.evidence}) and ${b.name} (${b.evidence}): ${differences.length} facts differ`,
    ...differences.flat(),
    ...tableLines("hypercalls", a, b, hcallPlaces, ({ hcallsEvidence }) => hcallsEvidence),
    ...tableLines("ops", a, b, opPlaces, ({ evidence }) => evidence),
    ...signatureLines(a, b),
  ];
}

/** A row for each branch, and what was read or run of it. */
export function branchList(): readonly string[] {
  const columns = `${"evidence".padEnd(10)}${"hypercalls".padEnd(12)}ops  modules`;
  const head = `${"branch".padEnd(NAME)}${columns}`;
  return [
    head,
    ...BRANCH_NAMES.flatMap((name) => {
      const branch = BRANCHES[name];
      const ops = branch.ops.filter(({ op }) => op !== undefined).length;
      const row =
        name.padEnd(NAME) +
        branch.evidence.padEnd(10) +
        String(branch.hcalls.length - 1).padEnd(12) +
        String(ops).padEnd(5) +
        (branch.vendorModules ? "yes" : "no");
      return [row, ...wrapped(TEXTS[name].pinned.split(" "), "  ")];
    }),
    "",
    "branches --diff A B prints what tells two of them apart.",
  ];
}
