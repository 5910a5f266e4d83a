// Makes a failing walk of the abstract model plain, and says what in it can be anything.

import type { Action } from "../spec/types/action.ts";

/** Whether a list of actions still fails in the same way. Each call is one run. */
export type WalkFails = (actions: readonly Action[]) => boolean;

/** A plain walk, what it cost, and what of it can be anything. */
export interface PlainWalk {
  readonly actions: readonly Action[];
  readonly runs: number;
  readonly free: readonly string[];
}

/** Other values for atoms, all the way down; a field's name decides what a number is. */
function replaced(value: unknown, atoms: ReadonlyMap<unknown, unknown>, field: string): unknown {
  const key = field === "vm" || field === "cpu" ? `${field} ${String(value)}` : value;
  if (atoms.has(key)) return atoms.get(key);
  if (Array.isArray(value)) return value.map((item) => replaced(item, atoms, ""));
  // What lies in memory is named by its address, which no name of a page or a CPU is.
  if (value instanceof Map) return value;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, item]) => [name, replaced(item, atoms, name)]),
  );
}

const withAtoms = (actions: readonly Action[], atoms: ReadonlyMap<unknown, unknown>) =>
  replaced(actions, atoms, "") as readonly Action[];

/** Frames that a walk names in the registers of calls and ops: plain memory. */
const MEMORY = { first: 0x4_0000n, last: 0x7_f3ffn } as const;
const OTHER_PAGE = 0x6_0123n;

function framesOf(actions: readonly Action[]): readonly bigint[] {
  const named = actions.flatMap((action) =>
    action.kind === "hvc" ? action.x.slice(1) : action.kind === "op" ? action.args : [],
  );
  const frames = named.filter((value) => value >= MEMORY.first && value <= MEMORY.last);
  return [...new Set(frames)];
}

const fieldValues = (actions: readonly Action[], field: "vm" | "cpu"): readonly number[] => [
  ...new Set(
    actions.flatMap((action) => (field in action ? [(action as never)[field] as number] : [])),
  ),
];

/** One kind of name, and the walk with another one in its place. */
function substitutions(
  actions: readonly Action[],
): readonly (readonly [string, Map<unknown, unknown>])[] {
  const modules = new Set(
    actions.flatMap((action) => (action.kind === "load_module" ? [action.name] : [])),
  );
  const lists = actions.flatMap((action) =>
    action.kind === "parse_early_param" ? [action.commandLine] : [],
  );
  return [
    ...[...modules].map((name): [string, Map<unknown, unknown>] => [
      `module ${name}`,
      new Map<unknown, unknown>([
        [name, "zz"],
        ...lists.map((line): [string, string] => [
          line,
          line.replace(new RegExp(`(?<=[=,])${name}(?=,|$)`, "g"), "zz"),
        ]),
      ]),
    ]),
    ...framesOf(actions).map((frame): [string, Map<unknown, unknown>] => [
      `page 0x${frame.toString(16)}`,
      new Map<unknown, unknown>([
        [frame, OTHER_PAGE],
        [Number(frame), Number(OTHER_PAGE)],
      ]),
    ]),
    ...fieldValues(actions, "vm").map((vm): [string, Map<unknown, unknown>] => [
      `VM ${vm}`,
      new Map([[`vm ${vm}`, 7]]),
    ]),
    ...fieldValues(actions, "cpu").map((cpu): [string, Map<unknown, unknown>] => [
      `CPU ${cpu}`,
      new Map([
        [`cpu ${cpu}`, 1 - cpu],
        [`cpu ${1 - cpu}`, cpu],
      ]),
    ]),
  ];
}

/** Which names can be others, everywhere at once. */
export const freeNames = (actions: readonly Action[], fails: WalkFails): readonly string[] =>
  substitutions(actions)
    .filter(([, atoms]) => fails(withAtoms(actions, atoms)))
    .map(([name]) => `any ${name.split(" ")[0]} for ${name}`);

/** Registers that nothing depends on become 0, and calls are made by the first CPU. */
function plainer(actions: readonly Action[], fails: WalkFails): readonly Action[] {
  let current = actions;
  const tries = (at: number, action: Action): void => {
    const candidate = current.with(at, action);
    if (fails(candidate)) current = candidate;
  };
  for (const at of actions.keys()) {
    const one = current[at] as Action;
    if ("cpu" in one && one.cpu !== 0) tries(at, { ...one, cpu: 0 });
    const action = current[at] as Action;
    if (action.kind === "hvc") {
      const used = action.x.findLastIndex((value) => value !== 0n) + 1;
      for (let n = used - 1; n > 0; n -= 1) {
        const now = current[at] as typeof action;
        if ((now.x[n] ?? 0n) !== 0n) tries(at, { ...now, x: now.x.with(n, 0n) });
      }
    }
  }
  return current;
}

/**
 * Makes a walk plain: CPUs and registers; then asks what can be anything. Its actions stay: what
 * the kernel does has an order that a part of it would not keep, and a search finds shorter ways
 * itself.
 */
export function plainWalk(actions: readonly Action[], stillFails: WalkFails): PlainWalk {
  let runs = 0;
  const fails: WalkFails = (candidate) => {
    runs += 1;
    return stillFails(candidate);
  };
  const plain = plainer(actions, fails);
  return { actions: plain, runs, free: freeNames(plain, fails) };
}
