// Hypercalls and ops as actions, with the registers that a search gives them.

import { branchOf, hostSmcccId } from "../../../spec/branches/branches.ts";
import type { Hvc, Op } from "../../../spec/types/action.ts";
import type { SystemConfig } from "../../../spec/types/hyp.ts";

/** HVC of any x0. */
export const hvcOf = (cpu: number, x0: bigint, ...args: readonly bigint[]): Hvc => ({
  kind: "hvc",
  cpu,
  imm: 0,
  x: [x0, ...args],
});

/** A hypercall of the table by its name. */
export function hcall(
  system: SystemConfig,
  cpu: number,
  name: string,
  ...args: readonly bigint[]
): Hvc {
  const number = branchOf(system).hcalls.indexOf(name);
  if (number < 0) throw new Error(`${name} is no hypercall of ${system.branch}`);
  return hvcOf(cpu, hostSmcccId(number), ...args);
}

/** Whether the branch has it. */
export const hasHcall = (system: SystemConfig, name: string): boolean =>
  branchOf(system).hcalls.includes(name);

export const opOf = (cpu: number, op: string, ...args: readonly bigint[]): Op => ({
  kind: "op",
  cpu,
  op,
  args,
});
