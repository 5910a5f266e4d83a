// Random lives of two VMs: no rule is broken but those that are known to be, and every errno comes.

import fc from "fast-check";
import { expect, test } from "vitest";
import { checkSteps } from "../../counterexamples/check.ts";
import { countStep, createCoverage } from "../../counterexamples/coverage.ts";
import { disagreements } from "../../model/machine/abstract.ts";
import { createSystem } from "../../model/machine/run-scenario.ts";
import { over, perform, type System } from "../../model/machine/system.ts";
import { findingOf } from "../../spec/findings.ts";
import type { Action } from "../../spec/types/action.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import {
  AT,
  finalize,
  initVcpu,
  initVm,
  load,
  map,
  put,
  reclaim,
  SHARED,
  share,
  start,
  unshare,
} from "../support/vm-hypercalls.ts";
import { play, type Walk } from "../support/walks.ts";

const RUNS = 60;
const MACHINE_RUNS = 5;
const LENGTH = { minLength: 30, maxLength: 120 };
const SEED = 20261123;

/** The memory of the second VM lies this far behind that of the first. */
const BEHIND = 0x100n;
const places = fc.constantFrom(0n, BEHIND);
const handles = fc.constantFrom(0x1000n, 0x1000n, 0x1001n, 0x1002n, 0n);
const indices = fc.constantFrom(0n, 0n, 1n, 2n);
const cpus = fc.constantFrom(0, 1);
/** Guest pages; one that is EL2's, a device, and one of nobody's. */
const pages = fc.oneof(
  { weight: 8, arbitrary: fc.bigInt({ min: AT.guest, max: AT.guest + 5n }) },
  { weight: 1, arbitrary: fc.constantFrom(0x7f400n, 0x9000n, 0x1000_0000n, AT.kvm, AT.root) },
);
/** A VM whose first vCPU is loaded. */
const born = (isProtected: boolean): readonly Action[] => [
  initVm({ isProtected }),
  initVcpu(0x1000n),
  load(0x1000n, 0n),
];
/** Frame numbers that share tables, that do not, and beyond. */
const gfns = fc.constantFrom(0n, 1n, 0x200n, 0x40000n, 0xfff_ffffn, 0x1000_0000n);
const tables = fc.uniqueArray(fc.bigInt({ min: AT.tables, max: AT.tables + 15n }), {
  minLength: 1,
  maxLength: 4,
});

const births = fc.oneof(
  fc
    .record({ at: places, vcpus: fc.constantFrom(0n, 1n, 2n), isProtected: fc.boolean() })
    .map(({ at, ...kvm }) =>
      initVm(kvm, { hypVm: AT.hypVm + at, lastRan: AT.lastRan + at, root: AT.root + at }),
    ),
  fc
    .record({ handle: handles, at: places, index: indices, isOther: fc.boolean() })
    .map(({ handle, at, index, isOther }) =>
      initVcpu(
        handle,
        { index },
        {
          host: isOther ? AT.other : AT.vcpu,
          own: (isOther ? AT.hypOther : AT.hypVcpu) + at,
        },
      ),
    ),
);
const lives = fc.oneof(
  fc.tuple(handles, indices, cpus).map(([handle, index, cpu]) => load(handle, index, cpu)),
  cpus.map((cpu) => put(cpu)),
  fc
    .record({ page: pages, gfn: gfns, chain: tables, cpu: cpus, isOther: fc.boolean() })
    .map(({ page, gfn, chain, cpu, isOther }) =>
      map(page, gfn, chain, { cpu, host: isOther ? AT.other : AT.vcpu }),
    ),
);
const deaths = fc.oneof(
  handles.map(start),
  handles.map(finalize),
  fc.tuple(handles, pages, gfns).map(([handle, page, gfn]) => reclaim(handle, page, gfn << 12n)),
);
const op = (name: string, ...args: readonly bigint[]): Action => ({
  kind: "op",
  cpu: 0,
  op: name,
  args,
});
const others = fc.oneof(
  pages.map(share),
  pages.map(unshare),
  pages.map((page) => op("host_donate_hyp", page, 1n)),
  pages.map((page) => op("host_stage2_mod_prot", page, 3n)),
);

const system = fc
  .constantFrom("production", "el2debug")
  .map(
    (build): SystemConfig =>
      ({ branch: "android14-6.1", build, documented: false, cpuCount: 2 }) as SystemConfig,
  );
const life: fc.Arbitrary<Walk> = fc
  .record({
    system,
    isProtected: fc.boolean(),
    actions: fc.array(
      fc.oneof(
        { weight: 3, arbitrary: births },
        { weight: 9, arbitrary: lives },
        { weight: 2, arbitrary: deaths },
        { weight: 2, arbitrary: others },
      ),
      LENGTH,
    ),
  })
  .map(({ system: config, isProtected, actions }) => ({
    name: "a life",
    why: "random",
    system: config,
    actions: [
      { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
      { kind: "kvm_arm_init" },
      ...SHARED,
      ...born(isProtected),
      ...actions,
    ],
    breaks: [],
  }));

const coverage = createCoverage();

test("no rule is broken where nobody expects it", () => {
  fc.assert(
    fc.property(life, (walk) => {
      const steps = play(walk);
      for (const step of steps) countStep(coverage, step);
      const surprises = checkSteps(steps).violations.filter(
        ({ rule }) => findingOf(rule, walk.system) === undefined,
      );
      expect(surprises).toEqual([]);
      expect(steps.filter(({ outcome }) => outcome.kind === "unmodelled")).toEqual([]);
    }),
    { seed: SEED, numRuns: RUNS },
  );
});

/** A machine that nothing was done on yet. */
const machineOf = (config: SystemConfig): System =>
  createSystem(
    {
      system: config,
      boot: {
        commandLine: "",
        firmwareBytes: 0,
        modprobe: "kmod",
        modulePath: "",
        initramfs: [],
        faults: [],
      },
      actions: [],
    },
    new Map(),
    {},
  );

test("the tables of host, hypervisor and guests in memory say what the state says", () => {
  fc.assert(
    fc.property(life, (walk) => {
      const system = machineOf(walk.system);
      for (const action of walk.actions) {
        if (over(system)) break;
        perform(system, action);
        expect(disagreements(system.machine, system.hyp)).toEqual([]);
      }
    }),
    { seed: SEED, numRuns: MACHINE_RUNS },
  );
});

test("every errno of these hypercalls comes, and the panic", () => {
  const errnos = ["-EPERM", "-ENOENT", "-ENOMEM", "-EBUSY", "-EINVAL", "-ERANGE"];
  expect([...coverage.errnos.keys()]).toEqual(expect.arrayContaining(errnos));
  expect([...coverage.outcomes.keys()]).toContain("hyp-panic TEARDOWN_WHILE_LOADED");
  for (const done of ["__pkvm_host_donate_guest", "__pkvm_host_share_guest"]) {
    expect(coverage.transitions.get(done) ?? 0).toBeGreaterThan(10);
  }
});
