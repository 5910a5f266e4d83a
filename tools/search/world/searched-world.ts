// A small world as a search sees it: its parts, its movers, its steps and who judges them.

import { initialHyp } from "../../../model/initial.ts";
import { changedBy } from "../../../model/plain.ts";
import { type ModelStep, step } from "../../../model/step.ts";
import type { Change } from "../../../model/transition.ts";
import { clausesOn, INVARIANTS, judgeStep, speaksOf } from "../../../spec/registry.ts";
import type { Action } from "../../../spec/types/action.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import type { Outcome } from "../../../spec/types/outcome.ts";
import { textOf } from "../exhaustive/parts.ts";
import type { Searched, StateRule, Stepped, StepRule } from "../exhaustive/searched.ts";
import { type At, HOST } from "./at.ts";
import { afterGuest } from "./guest-moves.ts";
import { hostMoves } from "./host-moves.ts";
import { continueKernel, kernelMoves } from "./kernel-program.ts";
import { continueLoading } from "./loading-program.ts";
import { renamingsOf } from "./renamings.ts";
import { afterSilentCallback, afterTrap } from "./trap-moves.ts";
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

/** A record with other values in some fields; the rest is read from the one before when needed. */
const withFields = (record: object, others: object): object =>
  Object.defineProperties(
    {},
    Object.fromEntries(
      Object.keys(record).map((field) => [
        field,
        field in others
          ? { value: others[field as never], enumerable: true }
          : { get: () => record[field as never] as unknown, enumerable: true },
      ]),
    ),
  );

/**
 * Effects on plain copies, on a state that is only looked through: what comes out holds the parts
 * that changed and stands on the state before.
 */
const onParts: Change = (pre, effect) => {
  const { parts, fields, answer } = changedBy(pre, effect);
  const records = [...fields].map(([key, others]) => [
    key,
    { value: withFields(pre[key] as object, others), enumerable: true },
  ]);
  const changed = { ...descriptors(parts), ...Object.fromEntries(records) };
  const post = Object.keys(changed).length === 0 ? pre : Object.create(pre, changed);
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
  if (at.at === "callback" && outcome === undefined) return afterSilentCallback(at);
  const passing = passingPlace(move, outcome);
  if (passing !== undefined) return passing;
  if (at.at === "handler") return outcome?.kind === "hcall" ? HOST : at;
  if (at.at !== "host") return continueKernel(world, at, answered);
  if (outcome?.kind === "enters") return { at: "handler" };
  const { action } = move;
  if (action?.kind !== "load_module") return at;
  const { name } = action;
  const loading = { at: "module", name, back: "insmod", step: "init", base: 0n, value: undefined };
  return continueLoading(world, loading as never, answered);
}

/** The place after a trap of the host or something about a guest. */
const passingPlace = ({ action }: Move, outcome: Outcome | undefined): At | undefined =>
  action === undefined || outcome === undefined
    ? undefined
    : (afterTrap(action, outcome) ?? afterGuest(action, outcome));

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

type WorldRule = StepRule<WorldState, Move, Label>;

const NO_RULES: readonly WorldRule[] = [];
/** By kind of action: the clauses that speak of it, as a search asks them. */
const RULES_ON = new Map<string, readonly WorldRule[]>();

/** The clauses on one step; what the model does not know is judged by none. */
function rulesOn({ action }: Move, label: Label): readonly WorldRule[] {
  if (action === undefined || label === undefined) return NO_RULES;
  if (label.outcome.kind === "unmodelled") return NO_RULES;
  const known = RULES_ON.get(action.kind);
  if (known !== undefined) return known;
  const rules = clausesOn(action.kind).map(
    (rule): WorldRule => ({
      id: rule.id,
      sentences: (pre, move, done, post) => {
        const { outcome } = done as StepLabel;
        const step = { pre, action: move.action as Action, outcome, post };
        return judgeStep(step, [rule])[0]?.wrong;
      },
    }),
  );
  RULES_ON.set(action.kind, rules);
  return rules;
}

/** The invariants that speak of the branch, which every state of a world has. */
const invariantsOn = ({ system }: World): readonly StateRule<WorldState>[] =>
  INVARIANTS.filter((rule) => speaksOf(rule, { config: system })).map((rule) => ({
    id: rule.id,
    offences: (state) => (rule.applies(state) ? rule.violations(state) : undefined),
  }));

/** Parts that are split: most steps read little of how far the boot is and what is registered. */
const SPLIT: readonly string[] = ["boot", "dispatch"] satisfies readonly (keyof Hyp)[];

const columnsOf = ([part, value]: readonly [string, unknown]): readonly string[] =>
  SPLIT.includes(part) ? Object.keys(value as object).map((field) => `${part}.${field}`) : [part];

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
    parts: [...Object.entries(hyp).flatMap(columnsOf), ...cpuParts, "faults"],
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
    rulesOn,
    rules: invariantsOn(world),
    renamings: renamingsOf(world),
  };
}

const isIdle = ({ at }: At): boolean => at === "host";
