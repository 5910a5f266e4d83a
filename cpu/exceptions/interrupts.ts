// Interrupts and SErrors that wait to be taken: where they go, and what masks them.

import type { Core } from "../state.ts";
import { HCR_EL2 } from "../sysregs/fields.ts";
import { EC, type Exception } from "./exception.ts";
import { hcr } from "./route.ts";

type Kind = "irq" | "fiq" | "serror";

/** The bit of HCR_EL2 that sends a kind to EL2, and the one that makes a virtual one pending. */
const routing = {
  irq: { toEl2: HCR_EL2.IMO, virtual: HCR_EL2.VI },
  fiq: { toEl2: HCR_EL2.FMO, virtual: HCR_EL2.VF },
  serror: { toEl2: HCR_EL2.AMO, virtual: HCR_EL2.VSE },
} as const;

/** PSTATE.A, I or F. */
function masked(core: Core, kind: Kind): boolean {
  const { A, I, F } = core.pstate;
  return (kind === "serror" ? A : kind === "irq" ? I : F) === 1;
}

/** HCR_EL2.{AMO,IMO,FMO}, or TGE, which counts as all three. */
function routedToEl2(core: Core, kind: Kind): boolean {
  return hcr(core, routing[kind].toEl2) || hcr(core, HCR_EL2.TGE);
}

/**
 * Whether a physical interrupt would be taken now: at EL2 from below whatever PSTATE masks, at
 * EL1 never while the core is at EL2. Source: DDI0487 D1.3.6 Asynchronous exception masking.
 */
function physicalTarget(core: Core, kind: Kind): 1 | 2 | undefined {
  const { EL } = core.pstate;
  if (routedToEl2(core, kind)) return EL < 2 || !masked(core, kind) ? 2 : undefined;
  return EL < 2 && !masked(core, kind) ? 1 : undefined;
}

/** Virtual interrupts exist where the physical ones go to EL2, and not under TGE. */
function virtualPending(core: Core, kind: Kind): boolean {
  const { toEl2, virtual } = routing[kind];
  return hcr(core, toEl2) && hcr(core, virtual) && !hcr(core, HCR_EL2.TGE);
}

/**
 * The interrupt to take before the next instruction.
 * CHOICE: the order among them is IMPLEMENTATION DEFINED: SError, FIQ, IRQ, then virtual ones.
 */
export function pendingInterrupt(core: Core): Exception | undefined {
  const { pending } = core;
  for (const kind of ["serror", "fiq", "irq"] as const) {
    const target = pending[kind] ? physicalTarget(core, kind) : undefined;
    if (target !== undefined) return asynchronous(kind, target, 0);
  }
  if (core.pstate.EL === 2) return undefined;
  for (const kind of ["serror", "fiq", "irq"] as const) {
    if (virtualPending(core, kind) && !masked(core, kind)) {
      return asynchronous(kind, 1, kind === "serror" ? virtualSyndrome(core) : 0);
    }
  }
  return undefined;
}

/** VSESR_EL2 becomes the syndrome of a virtual SError. Source: DDI0487 D24.2.163 VSESR_EL2. */
function virtualSyndrome(core: Core): number {
  return core.cpuModel.features.RAS ? Number(core.sysreg.VSESR_EL2 & 0x1ff_ffffn) : 0;
}

function asynchronous(kind: Kind, target: 1 | 2, iss: number): Exception {
  return {
    type: kind,
    target,
    ec: kind === "serror" ? EC.SError : 0,
    iss,
    far: undefined,
    hpfar: undefined,
    returnTo: "this",
  };
}

/** An SError is gone once it is taken; interrupts stay until their source is quiet. */
export function acknowledge(core: Core, exception: Exception): void {
  if (exception.type !== "serror") return;
  if (core.pending.serror) {
    core.pending.serror = false;
    return;
  }
  core.sysreg.HCR_EL2 &= ~(1n << BigInt(HCR_EL2.VSE));
}

/** Something that ends a WFI: pending and not held back by routing, whatever PSTATE masks. */
export function wakesUp(core: Core): boolean {
  const { pending, pstate } = core;
  for (const kind of ["serror", "fiq", "irq"] as const) {
    if (pending[kind] && (pstate.EL < 2 || routedToEl2(core, kind))) return true;
    if (pstate.EL < 2 && virtualPending(core, kind)) return true;
  }
  return false;
}

/**
 * ISR_EL1: A, I and F pending; at EL1 the virtual ones where the physical go to EL2.
 * Source: DDI0487 D24.2.91 ISR_EL1.
 */
export function interruptStatus(core: Core): bigint {
  const at = { serror: 8n, irq: 7n, fiq: 6n };
  let isr = 0n;
  for (const kind of ["serror", "fiq", "irq"] as const) {
    const virtual = core.pstate.EL === 1 && hcr(core, routing[kind].toEl2);
    const set = virtual ? virtualPending(core, kind) : core.pending[kind];
    if (set) isr |= 1n << at[kind];
  }
  return isr;
}
