// A small world as a search sees it: its parts, its movers, its steps and who judges them.

import { initialHyp } from "../../../model/initial.ts";
import { changedBy } from "../../../model/plain.ts";
import { type ModelStep, step } from "../../../model/step.ts";
import type { Change } from "../../../model/transition.ts";
import { INVARIANTS, judgeStep } from "../../../spec/registry.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import { textOf } from "../exhaustive/parts.ts";
import type { Judged, Searched, StateRule, Stepped } from "../exhaustive/searched.ts";
import { type At, HOST } from "./at.ts";
import { hostMoves } from "./host-moves.ts";
import { continueKernel, kernelMoves } from "./kernel-program.ts";
import { continueLoading } from "./loading-program.ts";
import { renamingsOf } from "./renamings.ts";
import { firmwareBytes, type Move, type World, type WorldState } from "./world.ts";

/** What is remembered of a step: the answer, and which rule of the model gave it. */
export interface StepLabel {
  readonly outcome: Outcome;
  readonly transition: string;
  readonly refusedBy: string | undefined;
}
export type Label = StepLabel | undefined;
export type WorldSearched = Searched<WorldState, Move, Label>;

/** What is left out of the model, as in a run. */
export interface WorldOptions {
  readonly omit?: ReadonlySet<string>;
}

/**
 * Effects on plain copies, on a state that is only looked through: what comes out holds the parts
 * that changed and stands on the state before.
 */
const onParts: Change = (pre, effect) => {
  const { parts, answer } = changedBy(pre, effect);
  const post = Object.keys(parts).length === 0 ? pre : Object.create(pre, descriptors(parts));
  return { post: post as Hyp, outcome: answer };
};

const descriptors = (parts: object): PropertyDescriptorMap =>
  Object.fromEntries(
    Object.entries(parts).map(([part, value]) => [part, { value, enumerable: true }]),
  );

const atOf = (state: WorldState, cpu: number): At => state[`cpu${cpu}`] as At;

/** The place of a CPU after its move. */
function placeAfter(world: World, pre: WorldState, move: Move, outcome: Outcome | undefined): At {
  const at = atOf(pre, move.cpu);
  const answered = { pre, choice: move.choice, outcome };
  if (outcome?.kind === "unmodelled") return at;
  if (at.at === "handler") return outcome?.kind === "hcall" ? HOST : at;
  if (at.at !== "host") return continueKernel(world, at, answered);
  if (outcome?.kind === "enters") return { at: "handler" };
  const { action } = move;
  if (action?.kind !== "load_module") return at;
  const { name } = action;
  const loading = { at: "module", name, back: "insmod", step: "init", base: 0n, value: undefined };
  return continueLoading(loading as never, answered);
}

/** CPUs that wait until EL2 is up can make calls from then on. */
function awake(world: World, move: Move, post: Partial<WorldState>): Partial<WorldState> {
  if (move.action?.kind !== "kvm_arm_init") return post;
  const others = Array.from({ length: world.size.cpus }, (_, cpu) => cpu).filter(
    (cpu) => cpu !== move.cpu,
  );
  return { ...post, ...Object.fromEntries(others.map((cpu) => [`cpu${cpu}`, HOST])) };
}

function stepOf(world: World, options: WorldOptions) {
  const modelOptions = { ...options, change: onParts };
  return (pre: WorldState, move: Move): Stepped<WorldState, Label> => {
    const { cpu, action } = move;
    const cpuPart = `cpu${cpu}` as const;
    if (action === undefined) {
      const faults = move.choice.endsWith(" fails") ? { faults: pre.faults + 1 } : {};
      const place = placeAfter(world, pre, move, undefined);
      return { changed: { ...faults, [cpuPart]: place } as Partial<WorldState>, label: undefined };
    }
    const done: ModelStep = step(pre, action, modelOptions);
    const { outcome, transition, refusedBy } = done;
    const parts = done.post === pre ? {} : Object.assign({}, done.post);
    const changed = { ...parts, [cpuPart]: placeAfter(world, pre, move, outcome) };
    const label = { outcome, transition, refusedBy };
    return { changed: awake(world, move, changed as Partial<WorldState>), label };
  };
}

/** The clauses on one step. */
function judge(pre: WorldState, { action }: Move, label: Label, post: WorldState): Judged {
  if (action === undefined || label === undefined) return { applied: [], broken: [] };
  const judgements = judgeStep({ pre, action, outcome: label.outcome, post });
  return {
    applied: judgements.map(({ rule }) => rule.id),
    broken: judgements.flatMap(({ rule, wrong }) =>
      wrong.map((sentence) => ({ rule: rule.id, sentence })),
    ),
  };
}

const RULES: readonly StateRule<WorldState>[] = INVARIANTS.map((rule) => ({
  id: rule.id,
  offences: (state) => (rule.applies(state) ? rule.violations(state) : undefined),
}));

/** The world as it is searched. */
export function searchedWorld(world: World, options: WorldOptions = {}): WorldSearched {
  const cpus = Array.from({ length: world.size.cpus }, (_, cpu) => cpu);
  const cpuParts = cpus.map((cpu) => `cpu${cpu}` as const);
  const hyp = initialHyp(world.system, firmwareBytes);
  const places = cpus.map((cpu) => [
    `cpu${cpu}`,
    cpu === 0 ? { at: "command line" } : { at: "off" },
  ]);
  const initial = { ...hyp, ...Object.fromEntries(places), faults: 0 } as WorldState;
  return {
    parts: [...(Object.keys(hyp) as (keyof Hyp)[]), ...cpuParts, "faults"],
    hidden: [...cpuParts, "faults"],
    initial: [initial],
    movers: cpus.map((cpu) => (state) => {
      if (state.end !== undefined) return [];
      const at = atOf(state, cpu);
      // Without interleaving the others wait until the first one is done.
      if (cpu > 0 && !world.size.interleaved && !isIdle(atOf(state, 0))) return [];
      return [...kernelMoves(world, cpu, state, at), ...hostMoves(world, cpu, state, at)];
    }),
    keyOf: (move) => textOf([move.cpu, move.choice, move.action]),
    step: stepOf(world, options),
    judge,
    rules: RULES,
    renamings: renamingsOf(world),
  };
}

const isIdle = ({ at }: At): boolean => at === "host";
