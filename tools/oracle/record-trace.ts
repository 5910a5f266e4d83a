// Records the directed sequences on the real kernel as a trace, to be replayed without it.

import { type Answer, changedNames, liveAnswer } from "./answer.ts";
import { DIRECTED } from "./directed.ts";
import { actionOf, hex, type Pages, POOL, POOL_PAGES, type Step } from "./script.ts";
import { closeSession, type Laboratory, openSession } from "./session.ts";
import { linesOf, stepJson, traceStart } from "./trace-file.ts";

/** A value by the name of the page whose number it is, if it is one. */
function named(value: bigint, pages: Pages): string {
  const above = value - (pages.get(POOL) ?? 0n);
  if (above < 0n || above >= BigInt(POOL_PAGES)) return hex(value);
  return `pfn(${POOL}${above === 0n ? "" : `+${above}`})`;
}

/** How the kernel says that pKVM is up. */
const MODE = /Protected (?:nVHE|hVHE) mode initialized successfully/;

/** What a record says of its answer. */
function answerJson(step: Step, answer: Answer, pages: Pages): Record<string, unknown> {
  switch (answer.kind) {
    case "registers":
      return {
        out: answer.x.map((value, n) => (n === 0 ? hex(value) : named(value, pages))),
        changed: changedNames(answer.changed),
      };
    case "value":
      return { fault: false, val: hex(answer.value) };
    case "stored":
      return { fault: false };
    case "aborted":
      return { fault: true };
    default:
      throw new Error(`${step.op} did not return`);
  }
}

/** Runs the directed sequences on the real kernel alone, on one boot; the text of the trace. */
export async function recordDirected(laboratory: Laboratory, kernel: string): Promise<string> {
  const session = await openSession(laboratory);
  try {
    const { live, pages } = session;
    const [header = {}, ...start] = traceStart("directed", kernel);
    const mode = MODE.exec(live.console.join("\n"))?.[0];
    const records: object[] = [header, { console: mode }, ...start];
    for (const { name, steps } of DIRECTED) {
      const actions = steps.map((step) => actionOf(step, pages));
      const asked = await live.ask(actions);
      records.push({ case: name });
      for (const [at, one] of asked.entries()) {
        const answer = liveAnswer(actions[at]!, one);
        records.push({ ...stepJson(steps[at]!), ...answerJson(steps[at]!, answer, pages) });
      }
    }
    return linesOf([...records, { end: true }]);
  } finally {
    await closeSession(session);
  }
}
