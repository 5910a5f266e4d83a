// The system counter and the timers that compare with it.

import type { Core } from "../state.ts";
import type { SysregName } from "./names.ts";

/**
 * The physical count. NON-SPEC: it counts instructions completed by all cores of the machine, so
 * that runs repeat exactly; nothing of it is time.
 */
export function physicalCount(core: Core): bigint {
  let retired = 0;
  for (const each of core.memory.cores) retired += each.retired;
  return BigInt.asUintN(64, BigInt(retired) + core.counterBase);
}

/** The virtual count: without the offset at EL2 with E2H, and for EL0 of a host. */
export function virtualCount(core: Core, offset: boolean): bigint {
  return BigInt.asUintN(64, physicalCount(core) - (offset ? core.sysreg.CNTVOFF_EL2 : 0n));
}

/** A timer: its three views. */
interface Timer {
  readonly ctl: SysregName;
  readonly cval: SysregName;
  readonly tval: SysregName;
  readonly virtual: boolean;
}

const timers: readonly Timer[] = [
  { ctl: "CNTP_CTL_EL0", cval: "CNTP_CVAL_EL0", tval: "CNTP_TVAL_EL0", virtual: false },
  { ctl: "CNTV_CTL_EL0", cval: "CNTV_CVAL_EL0", tval: "CNTV_TVAL_EL0", virtual: true },
  { ctl: "CNTHP_CTL_EL2", cval: "CNTHP_CVAL_EL2", tval: "CNTHP_TVAL_EL2", virtual: false },
  { ctl: "CNTHV_CTL_EL2", cval: "CNTHV_CVAL_EL2", tval: "CNTHV_TVAL_EL2", virtual: false },
];

function countOf(core: Core, timer: Timer): bigint {
  return timer.virtual ? virtualCount(core, true) : physicalCount(core);
}

/** CTL with ISTATUS. Source: DDI0487 D24.10.17: set while enabled and the count has got there. */
export function readTimerControl(core: Core, name: SysregName): bigint {
  const control = core.sysreg[name];
  const timer = timers.find(({ ctl }) => ctl === name)!;
  const due = (control & 1n) === 1n && countOf(core, timer) >= core.sysreg[timer.cval];
  return control | (due ? 4n : 0n);
}

/** TVAL: how far away CVAL is, 32 bits. Source: DDI0487 D12.2.4. */
export function readTimerValue(core: Core, name: SysregName): bigint {
  const timer = timers.find(({ tval }) => tval === name)!;
  return BigInt.asUintN(32, core.sysreg[timer.cval] - countOf(core, timer));
}

/** Writing TVAL sets CVAL that far from now; TVAL is signed. */
export function writeTimerValue(core: Core, name: SysregName, value: bigint): void {
  const timer = timers.find(({ tval }) => tval === name)!;
  core.sysreg[timer.cval] = BigInt.asUintN(64, countOf(core, timer) + BigInt.asIntN(32, value));
}
