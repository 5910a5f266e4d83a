// The kernel's own hypercalls: a real HVC at EL1, unless a fault is injected in its place.

import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import { ERRNO } from "../../spec/types/errno.ts";
import { environmentOf, settled } from "../machine/environment.ts";
import { hostHvc } from "../machine/run.ts";
import type { System } from "../machine/system.ts";
import type { Fault } from "../scenario.ts";

/** What came back: x0 and x1, signed. */
export interface HypercallAnswer {
  readonly x0: bigint;
  readonly x1: bigint;
}

/** The fault that the plan wants for this call, and counts the call. */
export function injected(system: System, call: string): Fault | undefined {
  const nth = system.calls.get(call) ?? 0;
  system.calls.set(call, nth + 1);
  return system.plan.faults.find((fault) => fault.call === call && fault.nth === nth);
}

/** kvm_call_hyp_nvhe: x0 and x1 afterwards; undefined when the call did not come back. */
export function hypercall(
  system: System,
  cpu: number,
  name: string,
  args: readonly bigint[],
): HypercallAnswer | undefined {
  const fault = injected(system, name);
  if (fault !== undefined) return faultAnswer(name, fault);
  const index = branchOf(system.hyp.config).hcalls.indexOf(name);
  if (index < 0) throw new Error(`${name} is no hypercall of ${system.hyp.config.branch}`);
  const x = new Array<bigint>(18).fill(0n);
  x[0] = hostSmcccId(index);
  args.forEach((value, at) => {
    x[at + 1] = BigInt.asUintN(64, value);
  });
  const nested = system.calling.has(cpu);
  system.calling.add(cpu);
  const ran = hostHvc(system.machine, cpu, 0, x, environmentOf(system));
  if (!nested) system.calling.delete(cpu);
  if (!settled(system, cpu, ran)) return undefined;
  system.log.push({ kind: "hvc", cpu, imm: 0, before: x, after: ran.x, by: "kernel" });
  return {
    x0: BigInt.asIntN(64, ran.x[0] ?? 0n),
    x1: BigInt.asIntN(64, ran.x[1] ?? 0n),
  };
}

/** A reservation that fails answers address 0; everything else its errno. */
function faultAnswer(name: string, { errno }: Fault): HypercallAnswer {
  return { x0: 0n, x1: name === "__pkvm_alloc_module_va" ? 0n : BigInt(-ERRNO[errno]) };
}
