// The table of named faults and their witnesses: model/MUTANTS.md.

import type { Hunted, NamedMutant } from "./mutant.ts";
import { INEXPRESSIBLE, REAL } from "./named.ts";

/** A named fault and what became of it. */
export interface Result {
  readonly mutant: NamedMutant;
  readonly hunted: Hunted;
}

const cell = (text: string): string => text.replaceAll("|", "\\|").replaceAll("\n", " ");

function row({ mutant: { id, wrong }, hunted }: Result): string {
  const [by, steps] =
    hunted.kind === "killed" ? [hunted.by, String(hunted.steps.length)] : [hunted.kind, ""];
  return `| ${id} | ${cell(wrong)} | ${by} | ${steps} | ${hunted.searched} |`;
}

function witness({ mutant: { id, wrong, change }, hunted }: Result): string {
  if (hunted.kind !== "killed") return "";
  const lines = [
    `### ${id}: ${wrong}`,
    "",
    "```diff",
    ...change.from.split("\n").map((line) => `- ${line}`),
    ...change.to.split("\n").map((line) => `+ ${line}`),
    "```",
    "",
    `\`${change.file}\`. ${hunted.by}: ${hunted.sentence}`,
    "",
    "```",
    ...hunted.steps.map((line, n) => `${String(n + 1).padStart(4)}  ${line}`),
    "```",
    "",
  ];
  return lines.join("\n");
}

/** How many were killed, of how many. */
export function countsText(results: readonly Result[]): string {
  const killed = results.filter(({ hunted }) => hunted.kind === "killed").length;
  const expressible = results.length + REAL.length;
  return [
    `${expressible + INEXPRESSIBLE.length} faults, ${expressible} expressible: `,
    `${killed} of ${results.length} killed, ${REAL.length} are what a real branch does`,
  ].join("");
}

export function tableText(results: readonly Result[]): string {
  return [
    "# Faults put into the model by name, and the rule that notices each",
    "",
    "Written by `npm run mutants`. The numbers are those of the list that the project started",
    "from. Each is one change of one file; it counts as killed only when a rule that speaks of it",
    "is broken, on a way that breaks nothing without the fault. *Steps* are those of the shrunk",
    "witness; *searched* is how many the hunt took before it noticed.",
    "",
    `${countsText(results)}.`,
    "",
    "| fault | what is wrong | killed by | steps | searched |",
    "| --- | --- | --- | --- | --- |",
    ...results.map(row),
    "",
    "## What a real branch does",
    "",
    ...REAL.map(({ id, wrong, branch, rule }) => `- ${id}. ${wrong} ${branch}: finding ${rule}.`),
    "",
    "## Not expressible here",
    "",
    ...INEXPRESSIBLE.map(({ id, wrong, why }) => `- ${id}. ${wrong} ${why}`),
    "",
    "## Witnesses",
    "",
    ...results.map(witness),
  ]
    .join("\n")
    .trimEnd()
    .concat("\n");
}
