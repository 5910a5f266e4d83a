// The plainest arguments and CPUs with which a scenario still fails, and what can be anything.

import type { HostAction, HostHvc, Meanwhile, Scenario } from "../model/scenario.ts";

type Fails = (scenario: Scenario) => boolean;

/** The scenario with another action at one place. */
const withAction = (scenario: Scenario, at: number, action: HostAction): Scenario => ({
  ...scenario,
  actions: scenario.actions.with(at, action),
});

/** An action with its registers: fewer of them, then zeros. */
function plainerRegisters<A extends HostAction & { readonly x: readonly bigint[] }>(
  action: A,
): readonly A[] {
  const { x } = action;
  const shorter = x.slice(1).map((_, n) => ({ ...action, x: x.slice(0, n + 1) }));
  const zeroed = x.flatMap((value, n) =>
    n === 0 || value === 0n ? [] : [{ ...action, x: x.with(n, 0n) }],
  );
  return [...shorter, ...zeroed];
}

/** Fewer ops that fail, then each at an earlier place. */
function plainerFailing<A extends HostAction & { readonly failing?: HostHvc["failing"] }>(
  action: A,
): readonly A[] {
  const { failing, ...plain } = action;
  if (failing === undefined) return [];
  const fewer = failing.map((_, n) => failing.toSpliced(n, 1)).filter(({ length }) => length > 0);
  return [plain as A, ...fewer.map((ops) => ({ ...action, failing: ops }))];
}

/** NON-SPEC: points from the start that are tried one by one; further on the way is halved. */
const POINTS_ONE_BY_ONE = 8;

/** Earlier points for one thing that another CPU does, the earliest first. */
const earlier = (before: number): readonly number[] =>
  [
    ...new Set([
      ...Array.from({ length: Math.min(before, POINTS_ONE_BY_ONE) }, (_, n) => n),
      ...[before >> 1, before - (before >> 2), before - (before >> 3), before - 4, before - 2],
      before - 1,
    ]),
  ].filter((point) => point >= 0 && point < before);

/** Nothing meanwhile, less, plainer, earlier: what another CPU does inside a call. */
function plainerMeanwhile<A extends HostAction & { readonly meanwhile?: HostHvc["meanwhile"] }>(
  action: A,
): readonly A[] {
  const { meanwhile, ...alone } = action;
  if (meanwhile === undefined) return [];
  const fewer = meanwhile
    .map((_, n) => meanwhile.toSpliced(n, 1))
    .filter(({ length }) => length > 0);
  const others = meanwhile.flatMap((one, n) => {
    const inner = plainer(one.action).filter(
      (other): other is Meanwhile["action"] => "cpu" in other && other.cpu === one.action.cpu,
    );
    return [
      ...inner.map((other) => meanwhile.with(n, { ...one, action: other })),
      ...earlier(one.before).map((before) => meanwhile.with(n, { ...one, before })),
    ];
  });
  return [alone as A, ...[...fewer, ...others].map((some) => ({ ...action, meanwhile: some }))];
}

/** Plainer forms of one action, the plainest first. */
function plainer(action: HostAction): readonly HostAction[] {
  const onFirst: readonly HostAction[] =
    "cpu" in action && action.cpu !== 0 ? [{ ...action, cpu: 0 }] : [];
  switch (action.kind) {
    case "hvc":
      return [
        ...onFirst,
        ...(action.imm === 0 ? [] : [{ ...action, imm: 0 }]),
        ...plainerFailing(action),
        ...plainerMeanwhile(action),
        ...plainerRegisters(action),
      ];
    case "smc":
    case "host_insn":
      return [
        ...onFirst,
        ...plainerFailing(action),
        ...plainerMeanwhile(action),
        ...plainerRegisters(action),
      ];
    case "insmod":
      return [...onFirst, ...(action.parameters === "" ? [] : [{ ...action, parameters: "" }])];
    case "host_write":
      return [...onFirst, ...(action.value === 0n ? [] : [{ ...action, value: 0n }])];
    default:
      return onFirst;
  }
}

/** Numbers of VMs as they come: the first one that is named is 0. */
function vmsInOrder(scenario: Scenario): Scenario {
  const numbers = new Map<number, number>();
  const actions = scenario.actions.map((action): HostAction => {
    if (!("vm" in action)) return action;
    const number = numbers.get(action.vm) ?? numbers.size;
    numbers.set(action.vm, number);
    return { ...action, vm: number } as HostAction;
  });
  return { ...scenario, actions };
}

const textOf = (scenario: Scenario): string =>
  JSON.stringify(scenario.actions, (_, value: unknown) =>
    typeof value === "bigint" ? `${value}n` : value,
  );

/** The scenario with the plainest actions that still fail; each is asked once. */
export function simplified(scenario: Scenario, fails: Fails): Scenario {
  const ordered = vmsInOrder(scenario);
  let current = textOf(ordered) !== textOf(scenario) && fails(ordered) ? ordered : scenario;
  for (let at = 0; at < current.actions.length; at += 1) {
    for (let tried = 0; ; ) {
      const candidate = plainer(current.actions[at] as HostAction)[tried];
      if (candidate === undefined) break;
      const simpler = withAction(current, at, candidate);
      if (fails(simpler)) {
        current = simpler;
        tried = 0;
      } else tried += 1;
    }
  }
  return current;
}

/** Values that have nothing in common but their width. */
const OTHERS: readonly bigint[] = [0x1234_5000n, 0xffff_ffff_ffff_ffffn];

/** One thing of one action, and the action with other values there. */
interface Free {
  readonly name: string;
  readonly others: readonly HostAction[];
}

function freeParts(action: HostAction, cpuCount: number): readonly Free[] {
  const parts: Free[] = [];
  if ("cpu" in action && cpuCount > 1) {
    const cpus = Array.from({ length: cpuCount }, (_, cpu) => cpu);
    const others = cpus.filter((cpu) => cpu !== action.cpu).map((cpu) => ({ ...action, cpu }));
    parts.push({ name: "CPU", others });
  }
  if (action.kind === "hvc" || action.kind === "smc") {
    for (let n = 1; n < action.x.length; n += 1) {
      parts.push({
        name: `x${n}`,
        others: OTHERS.map((v) => ({ ...action, x: action.x.with(n, v) })),
      });
    }
  }
  return parts;
}

/**
 * What of the actions can be anything: with every other value that is tried, the scenario fails as
 * well.
 */
export function freeOf(scenario: Scenario, fails: Fails): readonly string[] {
  return scenario.actions.flatMap((action, at) =>
    freeParts(action, scenario.system.cpuCount)
      .filter(({ others }) => others.every((other) => fails(withAction(scenario, at, other))))
      .map(({ name }) => `${name} of action ${at + 1}`),
  );
}
