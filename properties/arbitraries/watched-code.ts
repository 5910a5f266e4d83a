// Directed scenarios about what module code does at EL2, for the rules that look at instructions.

import type { HostHvc, Scenario } from "../../model/scenario.ts";
import { branchOf, hostSmcccId } from "../../spec/branches/branches.ts";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { bootOf } from "./failing-loads.ts";

/** A page of memory that the kernel gives to nobody. */
const PAGE = 0x5_0000n;
/** Where EL2's linear map has it. Source: measured, ops 20 and 21 of the trace `ops`. */
const PAGE_AT_EL2 = 0x40_1000_0000n;

const hvc = (x0: bigint, ...args: readonly bigint[]): HostHvc => ({
  kind: "hvc",
  cpu: 0,
  imm: 0,
  x: [x0, ...args],
});

/** Ops of the measurement module, by its own numbers. */
const PIN = 5n;
const READ = 23n;

/** A page that is shared and pinned is read by EL2; after it one that is not pinned. */
export function watchedCode(system: SystemConfig): readonly Scenario[] {
  const { hcalls, dynamicBase } = branchOf(system);
  const share = hostSmcccId(hcalls.indexOf("__pkvm_host_share_hyp"));
  const op = hostSmcccId(dynamicBase ?? 0);
  const boot = bootOf("ovm", ["ovm"], { words: "ovm.seq=load,regops" });
  const shared = hvc(share, PAGE);
  const read = hvc(op, READ, PAGE_AT_EL2);
  const pinned = hvc(op, PIN, PAGE_AT_EL2, PAGE_AT_EL2 + 0x1000n);
  return [
    { system, boot, actions: [shared, pinned, read] },
    { system, boot, actions: [shared, read] },
    { system, boot, actions: [shared, pinned, pinned] },
    { system, boot, actions: [shared, { ...pinned, failing: [{ nth: 0, errno: "EPERM" }] }] },
  ];
}
