// Makes a failing scenario small: its actions, its boot list, its programs, then their arguments.

import type { Scenario } from "../model/scenario.ts";
import { reduce } from "./reduce.ts";
import { simplified } from "./simplify.ts";

/** Whether a candidate still fails in the same way. Each call is one run. */
export type StillFails = (scenario: Scenario) => boolean;

/** The smallest scenario found, and what it cost. */
export interface Shrunk {
  readonly scenario: Scenario;
  /** Parts that could have been left out, before. */
  readonly from: number;
  readonly runs: number;
}

/** One list of a scenario whose items can be left out. */
interface Part {
  readonly items: (scenario: Scenario) => readonly unknown[];
  /** The scenario with only the items at these places. */
  readonly keep: (scenario: Scenario, places: readonly number[]) => Scenario;
  /** Items that must stay. */
  readonly atLeast: number;
}

const pick = <T>(items: readonly T[], places: readonly number[]): T[] =>
  places.map((place) => items[place]).filter((item) => item !== undefined);

/** A parameter of the command line that is a list with commas. */
function listOf(commandLine: string, parameter: string): readonly string[] {
  const found = commandLine.split(" ").find((word) => word.startsWith(`${parameter}=`));
  return found === undefined ? [] : found.slice(parameter.length + 1).split(",");
}

function withList(commandLine: string, parameter: string, items: readonly string[]): string {
  const head = `${parameter}=`;
  return commandLine
    .split(" ")
    .flatMap((word) => (word.startsWith(head) ? [`${head}${items.join(",")}`] : [word]))
    .join(" ");
}

/**
 * A list on the command line as a part; at least one item stays, so that the parameter stays well
 * formed.
 */
const listPart = (parameter: string): Part => ({
  items: ({ boot }) => listOf(boot.commandLine, parameter),
  keep: (scenario, places) => {
    const items = pick(listOf(scenario.boot.commandLine, parameter), places);
    const commandLine = withList(scenario.boot.commandLine, parameter, items);
    return { ...scenario, boot: { ...scenario.boot, commandLine } };
  },
  atLeast: 1,
});

/** The programs on a command line: NAME.seq=a,b,c. */
const programsOf = ({ boot }: Scenario): readonly string[] =>
  boot.commandLine.split(" ").flatMap((word) => /^([^=]+\.seq)=/.exec(word)?.[1] ?? []);

const ACTIONS: Part = {
  items: ({ actions }) => actions,
  keep: (scenario, places) => ({ ...scenario, actions: pick(scenario.actions, places) }),
  atLeast: 0,
};
const FAULTS: Part = {
  items: ({ boot }) => boot.faults,
  keep: (scenario, places) => ({
    ...scenario,
    boot: { ...scenario.boot, faults: pick(scenario.boot.faults, places) },
  }),
  atLeast: 0,
};
const INITRAMFS: Part = {
  items: ({ boot }) => boot.initramfs,
  keep: (scenario, places) => ({
    ...scenario,
    boot: { ...scenario.boot, initramfs: pick(scenario.boot.initramfs, places) },
  }),
  atLeast: 1,
};
const wordsOf = ({ boot }: Scenario): readonly string[] =>
  boot.commandLine.split(" ").filter((word) => word !== "");

const WORDS: Part = {
  items: wordsOf,
  keep: (scenario, places) => {
    const commandLine = pick(wordsOf(scenario), places).join(" ");
    return { ...scenario, boot: { ...scenario.boot, commandLine } };
  },
  atLeast: 0,
};

const range = (length: number): number[] => Array.from({ length }, (_, n) => n);

/** One part with as few items as it fails with. */
function reducePart(scenario: Scenario, part: Part, fails: StillFails): Scenario {
  const places = range(part.items(scenario).length);
  const trial = { fails: (kept: readonly number[]) => fails(part.keep(scenario, kept)) };
  const { items } = reduce(places, trial, part.atLeast);
  return items.length === places.length ? scenario : part.keep(scenario, items);
}

const partsOf = (scenario: Scenario): readonly Part[] => [
  ACTIONS,
  FAULTS,
  listPart("kvm-arm.protected_modules"),
  ...programsOf(scenario).map(listPart),
  WORDS,
  INITRAMFS,
];

/** The plainest value of what is not a list, where the scenario still fails with it. */
const PLAIN: readonly Partial<Scenario["boot"]>[] = [{ modulePath: "" }, { firmwareBytes: 0 }];

function plain(scenario: Scenario, fails: StillFails): Scenario {
  let current = scenario;
  for (const values of PLAIN) {
    const boot = { ...current.boot, ...values };
    const same = JSON.stringify(boot) === JSON.stringify(current.boot);
    if (!same && fails({ ...current, boot })) current = { ...current, boot };
  }
  return current;
}

/** How many items all parts have. */
export const sizeOf = (scenario: Scenario): number =>
  partsOf(scenario).reduce((sum, part) => sum + part.items(scenario).length, 0);

/** What a scenario that was run before answered is not asked again. */
function remembered(fails: StillFails): { fails: StillFails; runs: () => number } {
  const known = new Map<string, boolean>();
  const hex = (_: string, value: unknown) => (typeof value === "bigint" ? `${value}n` : value);
  return {
    fails: (scenario) => {
      const key = JSON.stringify(scenario, hex);
      const before = known.get(key);
      if (before !== undefined) return before;
      const answer = fails(scenario);
      known.set(key, answer);
      return answer;
    },
    runs: () => known.size,
  };
}

/**
 * Shrinks a failing scenario to one from which no single item can go. Actions first, because they
 * cost most to read; then faults, the boot list, the programs, the words of the command line, the
 * initramfs; round again while it helps. Last, what is left gets its plainest arguments, names and
 * CPUs.
 */
export function shrink(scenario: Scenario, stillFails: StillFails): Shrunk {
  const { fails, runs } = remembered(stillFails);
  let current = scenario;
  for (let before = Number.POSITIVE_INFINITY; sizeOf(current) < before; ) {
    before = sizeOf(current);
    for (const part of partsOf(current)) current = reducePart(current, part, fails);
  }
  current = plain(current, fails);
  current = simplified(current, fails);
  return { scenario: current, from: sizeOf(scenario), runs: runs() };
}
