// Everything that is done with a booted module: calls in sequences, two CPUs, other secrets, ops
// that fail, and the same on the other build.

import { BUILDS, type Build } from "../../spec/branches/branch.ts";
import type { Subject } from "../cli/subject.ts";
import { callValues } from "./call-values.ts";
import type { CheckHooks, Limits } from "./check-module.ts";
import { type Explored, remember } from "./explore.ts";
import type { Places } from "./found.ts";
import { exploreInterleavings, type Interleaved } from "./interleavings.ts";
import { type CallsExplored, type CallsPlan, exploreCalls, startCalls } from "./module-calls.ts";
import { callElsewhere, type Failures, failOps, varySecrets } from "./varied-calls.ts";

/** What was done with a booted module. */
export interface CallsSearched {
  readonly calls: CallsExplored;
  readonly orders: Interleaved;
  /** Calls that were made a second time with other secrets. */
  readonly varied: number;
  /** Calls that were made on another CPU as well. */
  readonly elsewhere: number;
  /** Calls in which ops were made to fail. */
  readonly failed: Failures;
  /** What was kept was done on the other build as well, if both were asked for. */
  readonly otherBuild: { readonly build: Build; readonly calls: number } | undefined;
}

/** The step of a violation whose boot is not counted: any step of the whole run may break it. */
const LATEST = 1_000_000;

/** What part of the calls is made on the other build, and in orders of two CPUs. */
const A_PART = 4;

/** Calls in sequences on the build that is asked for, then what was kept of them on the other. */
export async function searchCalls(
  subject: Subject,
  limits: Limits,
  { at, stopped }: CheckHooks,
  siteOf: Places["siteOf"],
  explored: Explored,
): Promise<CallsSearched> {
  const { system, boot, files, stubs, el2Only, budget, modules } = subject;
  const valuesOf = callValues(modules.map(({ module }) => module.elf));
  const planOf = (build: Build, callsMax: number): CallsPlan => {
    const scenario = { system: { ...system, build }, boot, actions: [] };
    return {
      scenario,
      files,
      options: { budget, stubs, el2Only },
      valuesOf,
      callsMax,
      depthMax: limits.depth,
      coverage: explored.coverage,
      found: ({ node, action, checked }, violation) => {
        const way = { ...scenario, actions: [...node.actions, action] };
        remember(explored, way, { ...violation, step: LATEST }, siteOf(violation, checked));
      },
      goOn: () => !stopped(),
    };
  };
  const breatheWith = (some: CallsExplored) => (): Promise<void> => {
    const { build } = some.plan.scenario.system;
    at(`${build}: ${some.calls} calls, ${some.nodes.length} states, sequences of ${some.depth}`);
    return new Promise((resume) => setImmediate(resume));
  };
  const calls = startCalls(planOf(system.build, limits.calls));
  const breathe = breatheWith(calls);
  await exploreCalls(calls, breathe);
  const elsewhere = callElsewhere(calls);
  const varied = varySecrets(calls);
  const failed = failOps(calls);
  const orders = await exploreInterleavings(calls, Math.floor(limits.calls / A_PART), breathe);
  const build = limits.build === undefined ? BUILDS.find((it) => it !== system.build) : undefined;
  let otherBuild: CallsSearched["otherBuild"];
  if (build !== undefined && !stopped()) {
    const plan = planOf(build, Math.floor(limits.calls / A_PART));
    const others = startCalls({ ...plan, seeds: calls.corpora });
    await exploreCalls(others, breatheWith(others));
    otherBuild = { build, calls: others.calls };
  }
  if (stopped()) explored.interrupted = true;
  return { calls, orders, elsewhere, varied, failed, otherBuild };
}
