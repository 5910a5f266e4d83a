// What a run of the oracle says: the smallest difference, and what was reached.

import type { Coverage } from "./coverage.ts";
import type { Finding } from "./examine.ts";
import { stepText } from "./script.ts";

/** A difference with the steps that lead to it. */
export function findingLines({ difference, sequences }: Finding): readonly string[] {
  const steps = sequences.flat();
  const before = sequences.length === 1 ? "" : `, after ${sequences.length - 1} sequences`;
  return [
    `difference at: ${stepText(difference.step)}`,
    `  real:  ${difference.real}`,
    `  model: ${difference.ours}`,
    `  after a fresh boot, ${steps.length} steps${before}:`,
    ...steps.map((step) => `    ${stepText(step)}`),
  ];
}

/** One line for each thing that was to be reached. */
export const coverageLines = (coverage: Coverage, wanted: readonly string[]): readonly string[] =>
  wanted.map((name) => `${String(coverage.get(name) ?? 0).padStart(7)}  ${name}`);
