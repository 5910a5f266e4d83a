// `npm run bench -- check`: abstract actions a second, and hypercalls a second on the machine.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { checkSteps } from "../../../counterexamples/check.ts";
import { initialHyp } from "../../../model/initial.ts";
import { boot } from "../../../model/kernel/boot.ts";
import { act, createSystem } from "../../../model/machine/run-scenario.ts";
import { plainly } from "../../../model/plain.ts";
import type { Scenario } from "../../../model/scenario.ts";
import { type ModelStep, step } from "../../../model/step.ts";
import type { ApplyOptions } from "../../../model/transition.ts";
import { branchOf, hostSmcccId } from "../../../spec/branches/branches.ts";
import type { Action, Hvc } from "../../../spec/types/action.ts";
import type { SystemConfig } from "../../../spec/types/hyp.ts";
import { carryOn } from "../../search/exhaustive/bfs.ts";
import { startWorld } from "../../search/find-violation.ts";

const ROOT = fileURLToPath(new URL("../../..", import.meta.url));
const SYSTEM: SystemConfig = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
};

/**
 * Hypercalls a second of the one executable specification of pKVM besides this, which runs inside
 * the hypervisor under QEMU: 200,000 an hour. Source: Ghost in the Android Shell, SOSP 2025.
 */
const GHOST_CALLS = 200_000 / 3600;
const AIM = { actions: 100_000, calls: 2_000 } as const;

const UP: readonly Action[] = [
  { kind: "parse_early_param", commandLine: "kvm-arm.mode=protected" },
  { kind: "kvm_arm_init" },
  { kind: "pkvm_load_early_modules" },
  { kind: "pkvm_drop_host_privileges" },
];

/** Calls that a host makes again and again: they share a page, take it back, and are refused. */
const CALLS: readonly Hvc[] = (() => {
  const { hcalls } = branchOf(SYSTEM);
  const call = (name: string, ...args: readonly bigint[]): Hvc => {
    const x = [hostSmcccId(hcalls.indexOf(name)), ...args];
    return { kind: "hvc", cpu: 0, imm: 0, x: Array.from({ length: 18 }, (_, n) => x[n] ?? 0n) };
  };
  return [
    call("__pkvm_host_share_hyp", 0x5_0000n),
    call("__pkvm_host_share_hyp", 0x5_0000n),
    call("__pkvm_host_unshare_hyp", 0x5_0000n),
    call("__pkvm_prot_finalize"),
    call("__pkvm_alloc_module_va", 1n),
  ];
})();

/** Times a second of CPU time that some work is done; `work` does `batch` of it. */
function rateOf(seconds: number, batch: number, work: () => void): number {
  work();
  const started = process.cpuUsage();
  for (let done = batch; ; done += batch) {
    work();
    const { user, system } = process.cpuUsage(started);
    const spent = (user + system) / 1e6;
    if (spent >= seconds) return done / spent;
  }
}

/** The readable step, one after the other. */
function stepRate(seconds: number, options: ApplyOptions, judged: boolean): number {
  let start = initialHyp(SYSTEM, 0);
  for (const action of UP) start = step(start, action).post;
  const rounds = 20;
  return rateOf(seconds, rounds * CALLS.length, () => {
    const steps: ModelStep[] = [];
    for (let round = 0; round < rounds; round += 1) {
      for (const action of CALLS) steps.push(step(steps.at(-1)?.post ?? start, action, options));
    }
    if (judged) checkSteps(steps);
  });
}

/** Steps of an exhaustive search: each judged by every clause, each state by every invariant. */
function searchRate(): number {
  const size = { cpus: 1, pages: 2, interleaved: false };
  const started = process.cpuUsage();
  const search = startWorld(SYSTEM, size);
  carryOn(search, { states: 200_000 });
  const { user, system } = process.cpuUsage(started);
  return search.transitions / ((user + system) / 1e6);
}

/** Real HVCs at EL1 of a booted machine, to the module's handler and to EL2's own table. */
function machineRate(seconds: number, judged: boolean): number {
  const file = "examples/page/pkvm_module.ko";
  const scenario: Scenario = {
    system: SYSTEM,
    boot: {
      commandLine: "kvm-arm.mode=protected kvm-arm.protected_modules=pkvm_module",
      firmwareBytes: 0,
      modprobe: "kmod",
      modulePath: "",
      initramfs: [{ name: "pkvm_module", file, needs: [] }],
      faults: [],
    },
    actions: [],
  };
  const system = createSystem(scenario, new Map([[file, readFileSync(`${ROOT}${file}`)]]), {});
  boot(system);
  const handler = hostSmcccId(branchOf(SYSTEM).dynamicBase ?? 0);
  const calls = [...CALLS.map(({ x }) => x), [handler, 1n, 2n, 3n]];
  return rateOf(seconds, calls.length, () => {
    system.log.length = 0;
    for (const x of calls) act(system, { kind: "hvc", cpu: 1, imm: 0, x });
    if (system.unmodelled !== undefined) throw new Error(`stopped at ${system.unmodelled}`);
    if (judged) {
      checkSteps(system.log.flatMap((event) => (event.kind === "step" ? [event.step] : [])));
    }
  });
}

const grouped = (rate: number): string => Math.round(rate).toLocaleString("en-US").padStart(11);

/** Measures and prints; nothing can be wrong. */
export function benchCheck(seconds: number, print: (text: string) => void): number {
  const row = (name: string, rate: number, aim?: number): void => {
    const ratio = (rate / GHOST_CALLS).toFixed(0);
    const wanted = aim === undefined ? "" : `   aim ${aim.toLocaleString("en-US")}`;
    print(`${name.padEnd(46)}${grouped(rate)}/s   x ${ratio.padStart(6)}${wanted}`);
  };
  const beside = `beside the ghost specification's ${GHOST_CALLS.toFixed(0)}/s`;
  print(`${"".padEnd(46)}   one core   ${beside}`);
  row("abstract actions, immer", stepRate(seconds, {}, false));
  row("abstract actions, plain copies", stepRate(seconds, { change: plainly }, false));
  row("abstract actions, immer, every rule judged", stepRate(seconds, {}, true));
  row("abstract actions in a search, every rule judged", searchRate(), AIM.actions);
  row("hypercalls on the machine", machineRate(seconds, false), AIM.calls);
  row("hypercalls on the machine, every rule judged", machineRate(seconds, true));
  return 0;
}
