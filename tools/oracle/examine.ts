// Runs sequences against a real kernel until one differs from the model, and makes that one small.

import fc from "fast-check";
import { over } from "../../model/machine/system.ts";
import { sequence as anySequence } from "./generate.ts";
import { minimise } from "./minimise.ts";
import { residueOf } from "./model-machine.ts";
import type { Sequence } from "./script.ts";
import {
  closeSession,
  type Difference,
  type Examined,
  isFresh,
  type Laboratory,
  type Observed,
  openSession,
  runSequence,
  type Session,
} from "./session.ts";

/** Calls of one boot: after so many, a fresh pair of machines is used. */
export const CALLS_PER_BOOT = 2500;

/** Boots that may be spent on making a difference smaller. */
const SHRINK_BOOTS = 60;

/** A difference, with the least that shows it on a fresh machine. */
export interface Finding {
  readonly difference: Difference;
  /** More than one where a sequence needs what an earlier one left behind. */
  readonly sequences: readonly Sequence[];
}

/** What is examined, and who is told. */
export interface Plan {
  readonly directed: readonly Sequence[];
  /** Random steps; sequences are made until there were so many. */
  readonly calls: number;
  readonly seed: number;
  readonly onObserved: (observed: readonly Observed[]) => void;
  readonly onProgress: (text: string) => void;
  /** True ends it early. */
  readonly interrupted: () => boolean;
}

/** How it went. */
export interface Outcome {
  readonly calls: number;
  readonly sequences: number;
  /** Sequences after which something was left that nothing takes back. */
  readonly carrying: number;
  readonly boots: number;
  readonly finding: Finding | undefined;
}

/** An examination while it runs. */
interface Running {
  readonly laboratory: Laboratory;
  readonly plan: Plan;
  session: Session | undefined;
  calls: number;
  sequences: number;
  carrying: number;
  boots: number;
  finding: Finding | undefined;
}

async function leave(running: Running): Promise<void> {
  if (running.session !== undefined) await closeSession(running.session);
  running.session = undefined;
}

/** The session that is open, or a new one. */
async function sessionOf(running: Running, usable: (session: Session) => boolean) {
  if (running.session !== undefined && !usable(running.session)) await leave(running);
  if (running.session === undefined) {
    running.boots++;
    running.session = await openSession(running.laboratory);
  }
  return running.session;
}

/** Runs sequences in the session that is open, if it seems to be as it was at boot. */
async function tryIn(
  running: Running,
  sequences: readonly Sequence[],
  usable: (session: Session) => boolean,
): Promise<Difference | undefined> {
  const session = await sessionOf(running, usable);
  for (const sequence of sequences) {
    const { difference } = await runSequence(session, sequence);
    if (difference === undefined) continue;
    await leave(running);
    return difference;
  }
  return undefined;
}

/**
 * The first difference of sequences on machines that nothing has happened to. The model says when a
 * session is as good as new; the real kernel may keep something that the model does not know of, so
 * that a difference counts only if it is there after a boot as well.
 */
async function differenceOf(
  running: Running,
  sequences: readonly Sequence[],
): Promise<Difference | undefined> {
  const booted = running.boots;
  const reused = running.session !== undefined;
  const difference = await tryIn(running, sequences, isFresh);
  if (difference === undefined || !reused || running.boots > booted) return difference;
  return tryIn(running, sequences, ({ history }) => history.length === 0);
}

/** Makes a list of sequences small that differs when it is run from the start. */
async function reduce(running: Running, history: readonly Sequence[]): Promise<Finding> {
  const { onProgress } = running.plan;
  const found: Finding[] = [];
  const differs = async (sequences: readonly Sequence[]): Promise<boolean> => {
    onProgress(`shrinking: ${sequences.length} sequences, ${sequences.flat().length} calls`);
    const difference = await differenceOf(running, sequences);
    if (difference !== undefined) found.push({ difference, sequences });
    return difference !== undefined;
  };
  const last = history.slice(-1);
  const few = (await differs(last)) ? last : await minimise(history, differs, SHRINK_BOOTS);
  const [first = [], ...others] = few;
  if (others.length === 0) await minimise(first, (steps) => differs([steps]), SHRINK_BOOTS);
  else
    await minimise(
      few.flat().map((step) => [step]),
      differs,
      SHRINK_BOOTS,
    );
  const smallest = found.at(-1);
  if (smallest !== undefined) return smallest;
  const difference = await differenceOf(running, history);
  if (difference === undefined) throw new Error("a difference that does not come back");
  return { difference, sequences: history };
}

/** Whether another sequence may follow what has been run. */
const isUsable = (session: Session): boolean =>
  session.calls < CALLS_PER_BOOT && !over(session.model.system);

/** One sequence in the session that others have used; true if it is as it should be. */
async function search(running: Running, sequence: Sequence): Promise<boolean> {
  const { plan } = running;
  const session = await sessionOf(running, isUsable);
  const residue = residueOf(session.model);
  const examined: Examined = await runSequence(session, sequence);
  running.sequences++;
  running.calls += examined.observed.length;
  plan.onObserved(examined.observed);
  plan.onProgress(`${running.calls} calls, ${running.sequences} sequences, boot ${running.boots}`);
  if (residueOf(session.model) > residue) running.carrying++;
  if (examined.difference === undefined || plan.interrupted()) return true;
  const history = [...session.history];
  running.finding = { difference: examined.difference, sequences: history };
  await leave(running);
  return false;
}

/** How far the random part is; `trouble` is an error, which is nobody's difference. */
type Phase = "search" | "shrink" | "over" | { readonly trouble: unknown };

/** One sequence that fast-check makes: whether it is as it should be, and what comes next. */
async function tryRandom(
  running: Running,
  phase: "search" | "shrink",
  sequence: Sequence,
): Promise<Phase | "holds"> {
  if (phase === "search" && (await search(running, sequence))) return "holds";
  running.plan.onProgress(`shrinking: ${sequence.length} calls`);
  const difference = await differenceOf(running, [sequence]);
  if (difference !== undefined) running.finding = { difference, sequences: [sequence] };
  if (difference !== undefined) return "shrink";
  return phase === "search" ? "over" : "holds";
}

/**
 * The random part: fast-check makes sequences and shrinks the first that differs on its own. One
 * that differs only after others is made small together with them.
 */
async function searchRandom(running: Running): Promise<void> {
  const { plan } = running;
  const until = running.calls + plan.calls;
  const state: { phase: Phase } = { phase: "search" };
  const property = fc.asyncProperty(anySequence, async (sequence) => {
    const { phase } = state;
    if ((phase !== "search" && phase !== "shrink") || plan.interrupted()) return true;
    if (phase === "search" && running.calls >= until) return true;
    const next = await tryRandom(running, phase, sequence).catch((trouble) => ({ trouble }));
    if (next !== "holds") state.phase = next;
    return next === "holds";
  });
  // Every sequence has at least one step, so that there are enough of them.
  await fc.check(property, { seed: plan.seed, numRuns: Math.max(1, plan.calls) });
  if (typeof state.phase === "object") throw state.phase.trouble;
}

/** The directed sequences, then random ones; ends with the first difference, made small. */
export async function examine(laboratory: Laboratory, plan: Plan): Promise<Outcome> {
  const running: Running = {
    ...{ laboratory, plan, session: undefined, finding: undefined },
    ...{ calls: 0, sequences: 0, carrying: 0, boots: 0 },
  };
  try {
    for (const sequence of plan.directed) {
      if (plan.interrupted() || !(await search(running, sequence))) break;
    }
    if (running.finding === undefined && plan.calls > 0) await searchRandom(running);
    const { finding } = running;
    if (finding !== undefined && !plan.interrupted()) {
      running.finding = await reduce(running, finding.sequences);
    }
  } finally {
    await leave(running);
  }
  const { calls, sequences, carrying, boots, finding } = running;
  return { calls, sequences, carrying, boots, finding };
}
