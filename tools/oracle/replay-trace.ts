// Replays a recorded trace on the real kernel: its answers, the recorded ones, the model's.

import { answerText, liveAnswer } from "./answer.ts";
import { type LiveMachine, OracleError } from "./live-machine.ts";
import { type ModelMachine, modelAnswer } from "./model-machine.ts";
import { actionOf, type Pages, stepText } from "./script.ts";
import type { Laboratory } from "./session.ts";
import type { Recorded } from "./trace-file.ts";

/** One step of which two of the three answers differ. */
export interface Disagreement {
  readonly line: number;
  readonly step: string;
  readonly recorded: string;
  readonly real: string;
  readonly ours: string;
}

/** Allocates what the trace allocates, and gives each name its page. */
async function allocate(live: LiveMachine, recorded: Recorded): Promise<Pages> {
  const pages = new Map<string, bigint>();
  for (const { page, pages: count } of recorded.allocated) {
    const [asked] = await live.ask([{ kind: "alloc", pages: count }]);
    if (asked?.kind !== "reply" || asked.reply.errno !== 0) throw new OracleError("no pages left");
    pages.set(page, asked.reply.x[0] ?? 0n);
  }
  return pages;
}

/** A recorded answer with the numbers that its names have here. */
function numbered(text: string, pages: Pages): string {
  return text.replace(/\b(pfn|pa)\((\w+)(?:\+(\d+))?\)/g, (whole, form, name, above = "0") => {
    const page = pages.get(name);
    if (page === undefined) return whole;
    const pfn = page + BigInt(above);
    return `0x${(form === "pa" ? pfn << 12n : pfn).toString(16)}`;
  });
}

const NO_RETURN = "did not return";
/** A step that did not return is recorded without its reason. */
const same = (recorded: string, other: string): boolean =>
  recorded === NO_RETURN ? other.startsWith(NO_RETURN) : recorded === other;

/** Runs the steps of a trace until the machine is down; every disagreement. */
export async function replayTrace(
  laboratory: Laboratory,
  recorded: Recorded,
): Promise<{ readonly steps: number; readonly disagreements: readonly Disagreement[] }> {
  const live = await laboratory.boot();
  try {
    const pages = await allocate(live, recorded);
    const model: ModelMachine = laboratory.bootModel();
    const actions = recorded.steps.map(({ step }) => actionOf(step, pages));
    const asked = await live.ask(actions);
    const disagreements = asked.flatMap((one, at): readonly Disagreement[] => {
      const { line, step, recorded: text } = recorded.steps[at]!;
      const expected = numbered(text, pages);
      const real = answerText(liveAnswer(actions[at]!, one));
      const ours = answerText(modelAnswer(model, actions[at]!));
      const agree = same(expected, real) && real === ours;
      return agree ? [] : [{ line, step: stepText(step), recorded: expected, real, ours }];
    });
    return { steps: asked.length, disagreements };
  } finally {
    await live.stop();
  }
}
