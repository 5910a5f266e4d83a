// Checks one module: whole boots, then calls from the booted state, two CPUs, other secrets.

import type { Counterexample, SourcePlace } from "../../counterexamples/counterexample.ts";
import { type CheckedRun, runChecked } from "../../counterexamples/run-checked.ts";
import { sectionNamed } from "../../model/elf/read.ts";
import type { Scenario } from "../../model/scenario.ts";
import { BUILDS, type Build } from "../../spec/branches/branch.ts";
import { findingOf } from "../../spec/findings.ts";
import type { ModuleState } from "../../spec/types/module.ts";
import type { Subject } from "../cli/subject.ts";
import type { Disassembler } from "../disassembler.ts";
import { endLine } from "../report/log-lines.ts";
import { codePlaceOf, type PlaceTeller, placeTeller } from "../report/source-place.ts";
import type { ReturnedAddress } from "./el2-addresses.ts";
import { type Broken, createExplored, type Explored, explore } from "./explore.ts";
import { createReached } from "./failing-pairs.ts";
import { counterexampleOf, type Places } from "./found.ts";
import type { CallsExplored } from "./module-calls.ts";
import { type Checked, directed, random, twoFail } from "./module-scenarios.ts";
import { type CallsSearched, searchCalls } from "./search-calls.ts";
import { failingInits } from "./varied-calls.ts";

/** How much is tried. */
export interface Limits {
  /** Random boots a build. */
  readonly runs: number;
  readonly seed: number;
  /** Calls of registered functions. */
  readonly calls: number;
  /** Host actions in a sequence. */
  readonly depth: number;
  /** One build, or both. */
  readonly build: Build | undefined;
}

/** A register in which a function of a module returns an address of EL2 to the host. */
export interface AddressNote extends Pick<ReturnedAddress, "register" | "what"> {
  readonly at: SourcePlace;
}

/** How a check tells how far it is, and is ended. */
export interface CheckHooks {
  readonly at: (text: string) => void;
  readonly stopped: () => boolean;
}

/** Everything that a check found and did. */
export interface CheckResult extends CallsSearched {
  readonly found: readonly Counterexample[];
  /** Why a module is not up after the boot that was asked for. */
  readonly down: string | undefined;
  readonly first: CheckedRun;
  readonly explored: Explored;
  /** Rules that the kernel breaks whatever the modules are. */
  readonly byKernel: readonly string[];
  /** What handlers return that is an address of EL2: no fault, since pKVM hands out tokens. */
  readonly notes: readonly AddressNote[];
  /** Boots in which ops of an EL2 init were made to fail. */
  readonly failedInits: number;
}

/**
 * Rules that the kernel breaks whatever the modules are: no module can mend them. What the kernel
 * makes of an init that was made to fail is its own as well.
 */
const byKernel = ({ violation: { rule }, scenario: { system, boot } }: Broken): boolean =>
  findingOf(rule, system)?.by === "kernel" ||
  (boot.faults.some(({ call }) => call === "op in an EL2 init") && !rule.startsWith("MOD-"));

/** What the boot that was asked for leads to, before anything is made to fail. */
function firstBoot(subject: Subject): CheckedRun {
  const { system, boot, files, stubs, el2Only, budget } = subject;
  return runChecked({ system, boot, actions: [] }, files, { budget, stubs, el2Only, watch: true });
}

/** Why nobody asks for a module: pKVM is off, or the list is another. */
const askedBy = ({ final }: CheckedRun["run"]): string =>
  final.boot.mode === "protected"
    ? ": kvm-arm.protected_modules does not name it"
    : ": the command line lacks kvm-arm.mode=protected";

/** Why a module is not up after the boot that was asked for; undefined when it is. */
function notUp(subject: Subject, { run }: CheckedRun): string | undefined {
  if (run.final.end !== undefined || run.unmodelled !== undefined) return endLine(run);
  for (const { name, module } of subject.modules) {
    const state: ModuleState | undefined = run.final.modules.get(name);
    const wantsEl2 = (sectionNamed(module.elf, ".hyp.text")?.size ?? 0) > 0;
    if (state === undefined || state.state === "freed") {
      const refused = run.log.flatMap((event) =>
        event.kind === "step" &&
        event.step.action.kind === "load_module" &&
        event.step.action.name === name
          ? [event.step.action.refused?.why ?? ""]
          : [],
      );
      const why = refused.find((text) => text !== "");
      if (why === undefined && state === undefined) return `nothing loads ${name}${askedBy(run)}`;
      return `${name} does not load: ${why ?? `its init returned ${state?.initResult}`}`;
    }
    if (wantsEl2 && state.el2 !== "initialised") return `the EL2 half of ${name} is not loaded`;
  }
  return undefined;
}

/** Pages that the EL2 halves take. */
function el2PagesOf({ run }: CheckedRun): number {
  const modules = [...run.final.modules.values()];
  return modules.reduce(
    (sum, { sections }) => sum + sections.reduce((pages, { pfns }) => pages + pfns.length, 0),
    0,
  );
}

async function searchBoots(
  subject: Subject,
  first: CheckedRun,
  limits: Limits,
  { at, stopped }: CheckHooks,
  { siteOf }: Places,
): Promise<Explored> {
  const { files, stubs, el2Only, budget } = subject;
  const explored = createExplored();
  for (const build of limits.build === undefined ? BUILDS : [limits.build]) {
    const checked: Checked = {
      system: { ...subject.system, build },
      boot: subject.boot,
      names: subject.modules.map(({ name }) => name),
      el2Pages: el2PagesOf(first),
      hypercalls: first.run.final.dispatch.dynamicHcalls.length,
    };
    const inits = failingInits(first.steps).map(
      (faults): Scenario => ({ ...checked, boot: { ...checked.boot, faults }, actions: [] }),
    );
    const others = random(checked, limits.seed, limits.runs);
    const alone = [...directed(checked)];
    const scenarios = [...alone, ...inits, ...others];
    const progress = (done: number): void => at(`${build}: ${done} of ${scenarios.length}`);
    const options = { budget, stubs, el2Only, watch: true };
    const reached = createReached();
    const seen = (scenario: Scenario, { run }: CheckedRun): void => {
      if (alone.includes(scenario)) reached.note(scenario, run);
    };
    await explore(scenarios, files, options, { progress, stopped, siteOf, seen }, explored);
    const pairs = twoFail(checked, reached.pairs());
    if (!explored.interrupted) {
      await explore(pairs, files, options, { stopped, siteOf }, explored);
    }
    if (explored.interrupted) break;
  }
  return explored;
}

/** Tells places by the module files. */
const tellerOf = ({ modules, files }: Subject, disassemble: Disassembler): PlaceTeller =>
  placeTeller(new Map(modules.map(({ name, file }) => [name, file])), files, disassemble);

/** What was noted, once a function and register. */
function notesOf(
  { addresses }: CallsExplored,
  { run }: CheckedRun,
  tell: PlaceTeller,
): readonly AddressNote[] {
  const notes = new Map<string, AddressNote>();
  for (const { place, register, what } of addresses.values()) {
    const at = tell(place, run);
    const key = `${at.module} ${at.function} x${register}`;
    if (!notes.has(key)) notes.set(key, { at, register, what });
  }
  return [...notes].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, note]) => note);
}

/** Tells places of steps; a function of a module is a site. */
function placesIn(tell: PlaceTeller): Places {
  const placeOf: Places["placeOf"] = (step, run) => {
    const place = codePlaceOf(step, run);
    return place && tell(place, run);
  };
  const siteOf: Places["siteOf"] = ({ step }, { steps, run }) => {
    const place = placeOf(steps[step]!, run);
    return place === undefined ? "" : `${place.module}.${place.function}:${place.line ?? ""}`;
  };
  return { placeOf, siteOf };
}

/** One counterexample a rule and place: production stands for both builds. */
function chosen(explored: Explored): readonly Broken[] {
  const bySite = new Map<string, Broken>();
  for (const broken of explored.broken.values()) {
    if (byKernel(broken)) continue;
    const key = `${broken.violation.rule} ${broken.site}`;
    if (!bySite.has(key)) bySite.set(key, broken);
  }
  return [...bySite.values()];
}

/** NON-SPEC: a name with its folder fits into a line of 80 columns. */
const NAME_MAX = 44;

/** Names that differ: the second of a rule carries its place, or what fits of it, or its number. */
function withNames(found: readonly Counterexample[]): readonly Counterexample[] {
  const taken = new Set<string>();
  return found.map((it, n) => {
    const place = `${it.at?.function ?? "elsewhere"}-${it.at?.line ?? n}`.replaceAll(
      /[^\w.-]/g,
      "_",
    );
    const placed = `${it.name}-${place.slice(it.name.length + 1 - NAME_MAX)}`;
    const name = [it.name, placed].find((one) => !taken.has(one)) ?? `${it.name}-${n}`;
    taken.add(name);
    return { ...it, name };
  });
}

/** The rules that only show beside the same call with other secrets. */
const ABOUT_SECRETS: ReadonlySet<string> = new Set(["MOD-13", "MOD-14"]);

/** Checks the module of a subject. */
export async function checkModule(
  subject: Subject,
  limits: Limits,
  hooks: CheckHooks,
  disassemble: Disassembler,
): Promise<CheckResult> {
  const first = firstBoot(subject);
  const tell = tellerOf(subject, disassemble);
  const places = placesIn(tell);
  const explored = await searchBoots(subject, first, limits, hooks, places);
  const searched = await searchCalls(subject, limits, hooks, places.siteOf, explored);
  const { budget, stubs, el2Only, files } = subject;
  const found = chosen(explored).flatMap((broken) => {
    const secrets = ABOUT_SECRETS.has(broken.violation.rule);
    const options = { budget, stubs, el2Only, watch: true, ...(secrets ? { secrets } : {}) };
    const by = `check, seed ${limits.seed}`;
    return counterexampleOf(broken, files, options, by, places) ?? [];
  });
  const kernel = [...explored.broken.values()].filter(byKernel).map(ruleOf);
  return {
    found: withNames(found),
    down: notUp(subject, first),
    first,
    explored,
    failedInits: failingInits(first.steps).length,
    byKernel: [...new Set(kernel)].sort(),
    notes: notesOf(searched.calls, first, tell),
    ...searched,
  };
}

const ruleOf = ({ violation }: Broken): string => violation.rule;
