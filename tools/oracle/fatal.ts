// What the hypervisor does not survive: each in a boot of its own, compared by the reason.

import type { Answer } from "./answer.ts";
import { FATAL } from "./directed.ts";
import type { Finding } from "./examine.ts";
import {
  closeSession,
  type Laboratory,
  type Observed,
  openSession,
  runSequence,
} from "./session.ts";

/** What became of one of them. */
export interface FatalResult {
  readonly name: string;
  readonly observed: readonly Observed[];
  readonly end: Answer | undefined;
  readonly finding: Finding | undefined;
}

/** Runs them one after the other; `onProgress` hears which. */
export async function runFatal(
  laboratory: Laboratory,
  onProgress: (text: string) => void,
  interrupted: () => boolean,
): Promise<readonly FatalResult[]> {
  const results: FatalResult[] = [];
  for (const { name, steps } of FATAL) {
    if (interrupted()) break;
    onProgress(`${results.length + 1} of ${FATAL.length} fatal: ${name}`);
    const session = await openSession(laboratory);
    try {
      const { observed, difference } = await runSequence(session, steps);
      const finding = difference === undefined ? undefined : { difference, sequences: [steps] };
      results.push({ name, observed, end: observed.at(-1)?.live, finding });
    } finally {
      await closeSession(session);
    }
  }
  return results;
}
