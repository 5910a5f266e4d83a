// One boot of both machines: the same steps on both, one sequence after the other, compared.

import { branchOf } from "../../spec/branches/branches.ts";
import { type Answer, answerText, liveAnswer } from "./answer.ts";
import { SYSTEM } from "./debian-machine.ts";
import { type LiveMachine, OracleError } from "./live-machine.ts";
import { isPristine, type ModelMachine, modelAnswer, takenBackBy } from "./model-machine.ts";
import {
  actionOf,
  hostWrite,
  type Pages,
  POOL,
  POOL_PAGES,
  type Sequence,
  type Step,
} from "./script.ts";

/** Where machines come from. */
export interface Laboratory {
  readonly boot: () => Promise<LiveMachine>;
  readonly bootModel: () => ModelMachine;
}

/** A step and what it came to. */
export interface Observed {
  readonly step: Step;
  readonly live: Answer;
}

/** A step on which the real kernel and the model differ. */
export interface Difference {
  readonly step: Step;
  readonly real: string;
  readonly ours: string;
}

/** What a sequence showed. */
export interface Examined {
  readonly observed: readonly Observed[];
  readonly difference: Difference | undefined;
}

/** Both machines, after the same steps. */
export interface Session {
  readonly live: LiveMachine;
  readonly model: ModelMachine;
  readonly pages: Pages;
  /** What was run, in order; a sequence that needs another one before it finds it here. */
  readonly history: Sequence[];
  calls: number;
}

/** The range that the kernel says it has taken. Source: measured, kvm_hyp_reserve, "Reserved". */
function checkCarveOut(console: readonly string[]): void {
  const line = console
    .map((text) => /Reserved (\d+) MiB at (0x[0-9a-f]+)/.exec(text))
    .find(Boolean);
  const [, mebibytes = "0", address = "0"] = line ?? [];
  const { first, last } = branchOf(SYSTEM).layout.carveOut;
  const from = Number(address) / 4096;
  if (from === first && from + Number(mebibytes) * 256 - 1 === last) return;
  const found = line?.[0] ?? "nothing";
  throw new OracleError(`the hypervisor's memory is elsewhere: ${found}; is this another kernel?`);
}

/** Boots both and allocates the pool. */
export async function openSession(laboratory: Laboratory): Promise<Session> {
  const live = await laboratory.boot();
  try {
    checkCarveOut(live.console);
    const [allocated] = await live.ask([{ kind: "alloc", pages: POOL_PAGES }]);
    if (allocated?.kind !== "reply" || allocated.reply.errno !== 0) {
      throw new OracleError("no pages in the machine");
    }
    const pages = new Map([[POOL, allocated.reply.x[0] ?? 0n]]);
    return { live, model: laboratory.bootModel(), pages, history: [], calls: 0 };
  } catch (error) {
    await live.stop();
    throw error;
  }
}

/** Whether a sequence finds both machines as the first one did. */
export const isFresh = ({ model }: Session): boolean => isPristine(model);

/** Runs steps on both until they differ. A step that ends the real machine is the last. */
async function compareSteps(session: Session, steps: Sequence): Promise<Examined> {
  const actions = steps.map((step) => actionOf(step, session.pages));
  const asked = await session.live.ask(actions);
  session.calls += asked.length;
  const observed: Observed[] = [];
  for (const [at, one] of asked.entries()) {
    const [step, action] = [steps[at]!, actions[at]!];
    const live = liveAnswer(action, one);
    observed.push({ step, live });
    const [real, ours] = [live, modelAnswer(session.model, action)].map(answerText);
    if (real !== ours) return { observed, difference: { step, real: real!, ours: ours! } };
  }
  return { observed, difference: undefined };
}

/** What takes back the effects of a sequence: nothing is shared afterwards, the pool is zero. */
function cleanUpOf(session: Session, sequence: Sequence): Sequence {
  const stores = sequence.flatMap((step) => (step.op === "host-write" ? [step.at] : []));
  return [...takenBackBy(session.model), ...[...new Set(stores)].map((at) => hostWrite(at, "0x0"))];
}

/** Runs one sequence on both, and takes it back; the taking back is compared as well. */
export async function runSequence(session: Session, sequence: Sequence): Promise<Examined> {
  session.history.push(sequence);
  const examined = await compareSteps(session, sequence);
  const ended = examined.observed.at(-1)?.live.kind === "ended";
  if (examined.difference !== undefined || ended) return examined;
  const { difference } = await compareSteps(session, cleanUpOf(session, sequence));
  return { ...examined, difference };
}

export const closeSession = ({ live }: Session): Promise<void> => live.stop();
