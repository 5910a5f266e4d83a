// What replayed vectors look like to a person.

import { basename } from "node:path";
import type { Difference } from "./compare.ts";
import type { Mismatch, Replayed } from "./replay-file.ts";

const shownMax = 20;

/** The instruction, and a line for each part that differs. */
export function mismatchText({ vector, differences }: Mismatch): string {
  const word = vector.op.toString(16).padStart(8, "0");
  const title = `${vector.set} ${vector.n} ${vector.el} ${word} ${vector.asm ?? "(no assembly)"}`;
  const row = ({ part, pre, expected, got }: Difference): string =>
    `    ${part.padEnd(24)} pre ${pre.padEnd(16)} expected ${expected.padEnd(16)} got ${got}`;
  return [title, ...differences.map(row)].join("\n");
}

/** The first mismatches, the disputes by class, and the counts. */
export function replayText({ file, vectors, mismatches, disputes }: Replayed): string {
  const shown = mismatches.slice(0, shownMax).map(mismatchText);
  const rest = mismatches.length - shown.length;
  const classes = [...disputes].map(
    ([name, { qemu, sail, both, neither }]) =>
      `  ${name}: as QEMU ${qemu}, as Sail ${sail}, as both ${both}, as neither ${neither}`,
  );
  return [
    ...shown,
    ...(rest > 0 ? [`… and ${rest} more`] : []),
    ...classes,
    `${basename(file)}: ${vectors} vectors, ${mismatches.length} mismatches`,
  ].join("\n");
}
