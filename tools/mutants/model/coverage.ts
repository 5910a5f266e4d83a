// Which characters of the model's sources ran between two moments.

import { Session } from "node:inspector";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const project = join(import.meta.dirname, "../../..");

/** Stretches of a file that ran: start and end, in turn, in order. */
export type Stretches = readonly number[];

/** What ran of each file, by its path in the project. */
export type Ran = Readonly<Record<string, Stretches>>;

interface Range {
  readonly startOffset: number;
  readonly endOffset: number;
  readonly count: number;
}

/** Ranges come outer ones first; an inner one says what its outer ones cannot. */
function stretchesOf(ranges: readonly Range[]): Stretches {
  const length = Math.max(0, ...ranges.map(({ endOffset }) => endOffset));
  const ran = new Uint8Array(length);
  for (const { startOffset, endOffset, count } of ranges) {
    ran.fill(count > 0 ? 1 : 0, startOffset, endOffset);
  }
  const stretches: number[] = [];
  for (let at = 0; at < length; at++) {
    if (ran[at] !== (at === 0 ? 0 : ran[at - 1])) stretches.push(at);
  }
  if (stretches.length % 2 === 1) stretches.push(length);
  return stretches;
}

/**
 * Begins to count, before the model is loaded. Each call of the answer gives what ran since the
 * one before. Stripped types are blanks, so characters are those of the source.
 */
export function startCoverage(): () => Ran {
  const session = new Session();
  session.connect();
  session.post("Profiler.enable");
  session.post("Profiler.startPreciseCoverage", { callCount: true, detailed: true });
  return () => {
    const ran: Record<string, Stretches> = {};
    session.post("Profiler.takePreciseCoverage", (error, { result }) => {
      if (error !== null) throw error;
      for (const { url, functions } of result) {
        if (!url.startsWith("file:")) continue;
        const path = fileURLToPath(url).slice(project.length + 1);
        if (!path.startsWith("model/")) continue;
        const stretches = stretchesOf(functions.flatMap(({ ranges }) => ranges));
        if (stretches.length > 0) ran[path] = stretches;
      }
    });
    return ran;
  };
}

/** Whether the character ran. */
export function includes(stretches: Stretches, at: number): boolean {
  let last = -1;
  while (last + 1 < stretches.length && stretches[last + 1]! <= at) last++;
  return last % 2 === 0;
}

/** Whether any character of a stretch ran. */
export function meets(stretches: Stretches, from: number, to: number): boolean {
  return stretches.some((start, n) => n % 2 === 0 && start < to && stretches[n + 1]! > from);
}
