// What the host does that can enter EL2: a call, an SMC, an access, any instruction; and the same
// beside it with an op that fails, with other secrets, with another CPU in the middle.

import type {
  FailingOp,
  HostAction,
  HostHvc,
  HostInsn,
  HostRead,
  HostSmc,
  HostWrite,
} from "../scenario.ts";
import { environmentOf, settled } from "./environment.ts";
import { compareFailing, type FailingRun, failingOf } from "./failing-op.ts";
import { forkSystem } from "./fork-system.ts";
import { interleavingOf } from "./interleave.ts";
import { kernelLinear } from "./layout.ts";
import { hostAccess, hostHvc, hostInsn, hostSmc } from "./run.ts";
import { varySecrets } from "./secrets.ts";
import { type System, stop } from "./system.ts";
import { beforeCall, forgetReads, watchCall } from "./watch.ts";

/** An action of the host that can enter EL2. */
export type HostEntry = HostHvc | HostSmc | HostInsn | HostRead | HostWrite;

/** Registers of the host after an action; undefined when it did not come back. */
type Answer = readonly bigint[] | undefined;

/**
 * What a register holds that an HVC of the scenario does not name. Source: the markers of the
 * recorded traces.
 */
const marker = (n: number): bigint => 0xa0a0_0000n + BigInt(n);

const registersOf = (x: readonly bigint[]): readonly bigint[] =>
  Array.from({ length: 18 }, (_, n) => x[n] ?? marker(n));

/** A real HVC at EL1 with the registers that the action names, and markers in the others. */
function hvc(system: System, { cpu, imm, x }: HostHvc): Answer {
  const before = registersOf(x);
  system.calling.add(cpu);
  const ran = hostHvc(system.machine, cpu, imm, before, environmentOf(system));
  system.calling.delete(cpu);
  const after = settled(system, cpu, ran) ? ran.x : undefined;
  system.log.push({ kind: "hvc", cpu, imm, before, after, by: "host" });
  return after;
}

/** A real SMC at EL1, as `hvc` does it. */
function smc(system: System, { cpu, imm = 0, x }: HostSmc): Answer {
  const before = registersOf(x);
  const ran = hostSmc(system.machine, cpu, imm, before, environmentOf(system));
  const after = settled(system, cpu, ran) ? ran.x : undefined;
  system.log.push({ kind: "hvc", smc: true, cpu, imm, before, after, by: "host" });
  return after;
}

/** One instruction of the kernel. */
function insn(system: System, { cpu, word, x }: HostInsn): Answer {
  const before = registersOf(x);
  const ran = hostInsn(system.machine, cpu, word, before, environmentOf(system));
  const after = settled(system, cpu, ran) ? ran.x : undefined;
  system.log.push({ kind: "insn", cpu, word, before, after });
  return after;
}

/** LDR or STR at EL1 of 8 bytes in the kernel's linear map; the value is the answer. */
function access(system: System, action: HostRead | HostWrite): Answer {
  const { cpu, address } = action;
  const stored = action.kind === "host_write" ? action.value : undefined;
  const wanted = { va: kernelLinear(system.machine.branch, address), sizeBytes: 8 } as const;
  const env = environmentOf(system);
  const accessed = hostAccess(system.machine, cpu, { ...wanted, store: stored }, env);
  const record = { kind: "access", cpu, address, store: stored !== undefined } as const;
  if (accessed.kind !== "value" && accessed.kind !== "fault") {
    settled(system, cpu, accessed);
    if (system.hyp.end === undefined) return undefined;
    system.log.push({ ...record, value: undefined, ended: true });
    return undefined;
  }
  const value = accessed.kind === "value" ? accessed.value : undefined;
  system.log.push({ ...record, value });
  return value === undefined ? [] : [value];
}

function enter(system: System, action: HostEntry): Answer {
  switch (action.kind) {
    case "hvc":
      return hvc(system, action);
    case "smc":
      return smc(system, action);
    case "host_insn":
      return insn(system, action);
    case "host_read":
    case "host_write":
      return access(system, action);
  }
}

/** Does the action, and beside it what its options and the system's ask for. */
export function enterFromHost(
  system: System,
  action: HostEntry,
  act: (system: System, action: HostAction) => void,
): void {
  const { cpu } = action;
  const meanwhile = "meanwhile" in action ? action.meanwhile : undefined;
  const failing = "failing" in action ? action.failing : undefined;
  const outer = system.interleaving;
  if (meanwhile?.some((other) => other.action.cpu === cpu) === true) {
    stop(system, `CPU ${cpu}, which is in a handler, acts meanwhile`);
    return;
  }
  if (meanwhile !== undefined) {
    system.interleaving = interleavingOf(cpu, meanwhile, (other) => act(system, other));
  }
  const alone = meanwhile === undefined && outer === undefined;
  const vary = system.options.secrets === true && alone;
  const before = vary ? forkSystem(system) : undefined;
  const good = failing !== undefined && alone ? besideFailing(system, failing, action) : undefined;
  if (failing !== undefined) system.failing = failingOf(failing);
  const fault = system.failing;
  const held = beforeCall(system);
  const since = system.log.length;
  forgetReads(system);
  const answer = enter(system, action);
  system.interleaving = outer;
  system.failing = undefined;
  if (before !== undefined) {
    varySecrets(system, before, cpu, answer, (other) => enter(other, action));
  }
  if (good !== undefined) {
    const log = system.log.slice(since);
    compareFailing(cpu, { failing: fault, system, log, answer }, good);
  }
  const repeats = alone && failing === undefined && held !== undefined;
  if (repeats && "x" in action && action.kind !== "host_insn") {
    const call = { kind: action.kind, x: registersOf(action.x) };
    watchCall(system, cpu, held, call, answer);
  }
}

/** The same action on a copy, all but the last of the ops failing. */
function besideFailing(
  system: System,
  failing: readonly FailingOp[],
  action: HostEntry,
): FailingRun {
  const copy = forkSystem(system);
  const fault = failingOf(failing.slice(0, -1));
  copy.failing = fault;
  const answer = enter(copy, action);
  return { failing: fault, system: copy, log: copy.log, answer };
}
