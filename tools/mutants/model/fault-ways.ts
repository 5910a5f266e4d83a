// Every way on which a fault may be noticed without a test's file: each says what is wrong on it.

import { globSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { replay, replayLine } from "../../../counterexamples/replay.ts";
import { verdictOf } from "../../../counterexamples/run-checked.ts";
import { readModules, readStored } from "../../../counterexamples/stored.ts";
import { compareTrace } from "../../../properties/conformance/compare.ts";
import { readImages, readTraces } from "../../../properties/conformance/folder.ts";
import { mismatchLines } from "../../../properties/conformance/table.ts";
import { unknownOn } from "../../../properties/support/walk-stops.ts";
import { go, isWalk, type Named, waysInOrder } from "./hunt.ts";

const project = join(import.meta.dirname, "../../..");
const at = (path: string): string => join(project, path);

/** One way: what is wrong on it, undefined when all is as it should be. */
export interface FaultWay {
  readonly name: string;
  readonly wrong: () => string | undefined;
}

/**
 * Walks and scenarios: a rule is broken that nobody expects to be, or a walk asks for what is not
 * modelled.
 */
const ofHunt = ([name, way]: Named): FaultWay => ({
  name,
  wrong: () => {
    const { steps, violations } = go(way);
    const [violation] = violations;
    if (violation !== undefined) return `${violation.rule} on ${name}`;
    const unknown = isWalk(way) ? unknownOn(way, steps) : undefined;
    return unknown === undefined ? undefined : `${unknown} on ${name}`;
  },
});

/** Stored counterexamples: the rule is no longer broken, or not in the same way. */
function storedWays(): readonly FaultWay[] {
  return readStored(at("counterexamples")).map(({ file, counterexample }) => ({
    name: `counterexample: ${file}`,
    wrong: () => {
      const read = readModules(counterexample.scenario, `${project}/`);
      if ("missing" in read) throw new Error(`${read.missing} is not there`);
      const line = replayLine(counterexample, replay(counterexample, read.files));
      const { clause, steps, sentence, scenario, verdict } = counterexample;
      const same =
        line === `${clause} is broken at step ${steps.length}: ${sentence}` &&
        verdictOf(clause, scenario.system) === verdict;
      return same ? undefined : `counterexample ${file}`;
    },
  }));
}

const TRACES = "properties/conformance/traces";

const readFiles = (): ReadonlyMap<string, Uint8Array> =>
  new Map<string, Uint8Array>([
    ["ovm", readFileSync(at("examples/measurement/ovm.ko"))],
    ["ovmt", readFileSync(at("examples/measurement-textonly/ovmt.ko"))],
    ...readImages(at("examples/guests")),
  ]);

/** Recorded traces of real pKVM: a record does not match, or is left out. */
function traceWays(): readonly FaultWay[] {
  let files: ReadonlyMap<string, Uint8Array> | undefined;
  return globSync("**/*.jsonl", { cwd: at(TRACES) })
    .filter((file) => !file.includes("host-hypercall-ids."))
    .sort()
    .map((file) => ({
      name: `trace: ${file.replace(".jsonl", "")}`,
      wrong: () => {
        const read = readTraces(at(`${TRACES}/${file}`));
        if (!read.ok) throw new Error(read.error);
        files ??= readFiles();
        for (const { name, trace } of read.traces) {
          const result = compareTrace(trace, files);
          if (mismatchLines({ name, result }).length > 0) return `trace ${name}`;
          if (result.comparisons.some(({ kind }) => kind === "left"))
            return `trace ${name}: a record is left out`;
        }
        return undefined;
      },
    }));
}

const RANDOM = "random scenario";
/** Of the random scenarios each so manieth: the others notice next to nothing more. */
const RANDOM_EVERY = 6;

/** A name that is there twice has a number behind it. */
function* numbered(ways: Iterable<Named>): Generator<Named> {
  const times = new Map<string, number>();
  for (const [name, way] of ways) {
    const time = (times.get(name) ?? 0) + 1;
    times.set(name, time);
    yield [time === 1 ? name : `${name} ${time}`, way];
  }
}

/** All ways, those that cost least for what they see first; each name is there once. */
export function* faultWays(): Generator<FaultWay> {
  let [walks, random] = [true, 0];
  for (const named of numbered(waysInOrder())) {
    if (walks && !named[0].startsWith("walk: ")) {
      walks = false;
      yield* storedWays();
      yield* traceWays();
    }
    const [name] = named;
    if (!name.startsWith(RANDOM) || random++ % RANDOM_EVERY === 0) yield ofHunt(named);
  }
}
