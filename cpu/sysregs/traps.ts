// What each control that traps system register accesses asks, and where the trap goes.

import type { Exception } from "../exceptions/exception.ts";
import { floatingPointTrap } from "../exceptions/generate.ts";
import { generalTarget, hcr, inHost } from "../exceptions/route.ts";
import type { Core } from "../state.ts";
import { flag, HCR_EL2, MDCR_EL2, MDSCR_EL1, SCTLR } from "./fields.ts";
import type { SysregName } from "./names.ts";
import type { TrapName } from "./trap-names.ts";

/** One access on its way through the controls. */
export interface Access {
  readonly core: Core;
  readonly name: SysregName;
  readonly write: boolean;
}

/** The level that takes the trap, an exception of its own class, or undefined to go on. */
type Trap = (access: Access) => 1 | 2 | Exception | undefined;

/** A bit of HCR_EL2 that traps EL1. */
function el1ToEl2(bit: number, direction?: "read" | "write"): Trap {
  return ({ core, write }) => {
    if (core.pstate.EL !== 1 || !hcr(core, bit)) return undefined;
    return direction === undefined || (direction === "write") === write ? 2 : undefined;
  };
}

/** A bit of HCR_EL2 that traps EL1 while it is 0. */
function el1ToEl2Unless(bit: number): Trap {
  return ({ core }) => (core.pstate.EL === 1 && !hcr(core, bit) ? 2 : undefined);
}

/** A bit of HCR_EL2 that traps EL1, and EL0 unless EL2 is its host. */
function lowerToEl2(bit: number): Trap {
  return ({ core }) => (isGuest(core) && hcr(core, bit) ? 2 : undefined);
}

/** EL1, or EL0 under EL1. */
export function isGuest(core: Core): boolean {
  return core.pstate.EL === 1 || (core.pstate.EL === 0 && !inHost(core));
}

/** A bit of MDCR_EL2; for debug registers TDE and TGE count as set bits. */
function debugToEl2(bit: number): Trap {
  return ({ core }) => {
    const all = flag(core.sysreg.MDCR_EL2, MDCR_EL2.TDE) || hcr(core, HCR_EL2.TGE);
    return isGuest(core) && (all || flag(core.sysreg.MDCR_EL2, bit)) ? 2 : undefined;
  };
}

function monitorToEl2(bit: number): Trap {
  return ({ core }) => (isGuest(core) && flag(core.sysreg.MDCR_EL2, bit) ? 2 : undefined);
}

/** A bit of SCTLR_EL1, or of SCTLR_EL2 in a host, that keeps EL0 away while it is 0. */
export function el0Unless(core: Core, bit: number): 1 | 2 | undefined {
  if (core.pstate.EL !== 0) return undefined;
  const sctlr = inHost(core) ? core.sysreg.SCTLR_EL2 : core.sysreg.SCTLR_EL1;
  return flag(sctlr, bit) ? undefined : generalTarget(core);
}

/** CNTKCTL_EL1, or CNTHCTL_EL2 in a host, has one enable a bit for EL0. */
function counterForEl0(core: Core, ...positions: number[]): 1 | 2 | undefined {
  if (core.pstate.EL !== 0) return undefined;
  const control = inHost(core) ? core.sysreg.CNTHCTL_EL2 : core.sysreg.CNTKCTL_EL1;
  return positions.some((bit) => flag(control, bit)) ? undefined : generalTarget(core);
}

/** CNTHCTL_EL2.EL1PCTEN and EL1PCEN or EL1PTEN: ten bits higher when E2H is 1. */
function counterForGuest(core: Core, bit: 0 | 1): 2 | undefined {
  if (!isGuest(core)) return undefined;
  const position = hcr(core, HCR_EL2.E2H) ? bit + 10 : bit;
  return flag(core.sysreg.CNTHCTL_EL2, position) ? undefined : 2;
}

/**
 * PMUSERENR_EL0: EN opens everything; CR, ER and SW open the cycle counter for reading, the event
 * counters for reading with their selection, and the software increment.
 * Source: DDI0487 D24.5.22 PMUSERENR_EL0.
 */
function performanceForEl0({ core, name, write }: Access): 1 | 2 | undefined {
  if (core.pstate.EL !== 0) return undefined;
  const enabled = core.sysreg.PMUSERENR_EL0;
  const open =
    flag(enabled, 0) ||
    (flag(enabled, 1) && name === "PMSWINC_EL0") ||
    (flag(enabled, 2) && name === "PMCCNTR_EL0" && !write) ||
    (flag(enabled, 3) && name === "PMSELR_EL0") ||
    (flag(enabled, 3) && /^PM(X?)EVCNTR/.test(name) && !write);
  return open ? undefined : generalTarget(core);
}

/** All traps. Source: DDI0487 D24.2, the access pseudocode of each register. */
export const traps: Readonly<Record<TrapName, Trap>> = {
  TVM: el1ToEl2(HCR_EL2.TVM, "write"),
  TRVM: el1ToEl2(HCR_EL2.TRVM, "read"),
  TID1: el1ToEl2(HCR_EL2.TID1),
  TID2: lowerToEl2(HCR_EL2.TID2),
  TID3: el1ToEl2(HCR_EL2.TID3),
  TID4: lowerToEl2(HCR_EL2.TID4),
  TID5: lowerToEl2(HCR_EL2.TID5),
  TACR: el1ToEl2(HCR_EL2.TACR),
  TLOR: el1ToEl2(HCR_EL2.TLOR),
  TERR: el1ToEl2(HCR_EL2.TERR),
  APK: el1ToEl2Unless(HCR_EL2.APK),
  ATA: el1ToEl2Unless(HCR_EL2.ATA),
  SGI: ({ core }) =>
    core.pstate.EL === 1 && (hcr(core, HCR_EL2.IMO) || hcr(core, HCR_EL2.FMO)) ? 2 : undefined,
  TCPAC: ({ core }) => (core.pstate.EL === 1 && flag(core.sysreg.CPTR_EL2, 31) ? 2 : undefined),
  FP: ({ core }) => floatingPointTrap(core),
  TDA: debugToEl2(MDCR_EL2.TDA),
  TDRA: debugToEl2(MDCR_EL2.TDRA),
  TDOSA: debugToEl2(MDCR_EL2.TDOSA),
  TDCC: ({ core }) =>
    core.pstate.EL === 0 && flag(core.sysreg.MDSCR_EL1, MDSCR_EL1.TDCC)
      ? generalTarget(core)
      : undefined,
  DCC: ({ core }) =>
    core.cpuModel.features.FGT && isGuest(core) && flag(core.sysreg.MDCR_EL2, MDCR_EL2.TDCC)
      ? 2
      : undefined,
  TPM: monitorToEl2(MDCR_EL2.TPM),
  TPMCR: monitorToEl2(MDCR_EL2.TPMCR),
  PMUSERENR: performanceForEl0,
  UCT: ({ core }) => el0Unless(core, SCTLR.UCT),
  // In a host there is no UMA: always trapped.
  UMA: ({ core }) => (core.pstate.EL === 0 && inHost(core) ? 2 : el0Unless(core, SCTLR.UMA)),
  EL0CNT: ({ core }) => counterForEl0(core, 0, 1),
  PCTEN: ({ core }) => counterForEl0(core, 0) ?? counterForGuest(core, 0),
  VCTEN: ({ core }) => counterForEl0(core, 1),
  PTEN: ({ core }) => counterForEl0(core, 9) ?? counterForGuest(core, 1),
  VTEN: ({ core }) => counterForEl0(core, 8),
};
