// The translation regime of an access, and what its control registers say, read once a change.

import type { Core, El } from "../state.ts";
import { field, flag, HCR_EL2, SCTLR } from "../sysregs/fields.ts";
import {
  lowerRange,
  type Stage1Range,
  singleRange,
  stage2Parameters,
  upperRange,
  type WalkParameters,
} from "./walk-parameters.ts";

/** Who owns the translation. Source: DDI0487 D8.1.2 Translation regimes. */
export type Regime = "EL1&0" | "EL2" | "EL2&0";

/** One regime's stage 1. */
export interface Stage1Controls {
  readonly regime: Regime;
  /** SCTLR_ELx.M, as HCR_EL2.TGE and HCR_EL2.DC leave it. */
  readonly enabled: boolean;
  /** Off, and HCR_EL2.DC says Normal Write-Back instead of Device; HCR_EL2.DCT says Tagged. */
  readonly defaultCacheable: boolean;
  readonly defaultTagged: boolean;
  readonly instructionCache: boolean;
  /** One range, or a lower and an upper one. */
  readonly lower: Stage1Range;
  readonly upper: Stage1Range | undefined;
  readonly mair: bigint;
  readonly writeExecuteNever: boolean;
  readonly asid: number;
  /** Alignment is checked for all accesses: SCTLR_ELx.A. */
  readonly alignmentCheck: boolean;
  /** Unaligned ordered accesses are allowed where LSE2 allows them: SCTLR_ELx.nAA. */
  readonly nAA: boolean;
  /** Data are big-endian at the regime's own level, and at EL0. */
  readonly bigEndian: boolean;
  readonly bigEndianEl0: boolean;
}

/** Stage 2 of the EL1&0 regime. */
export interface Stage2Controls extends WalkParameters {
  readonly vmid: number;
  /** Walks of stage 1 through Device memory fault: HCR_EL2.PTW. */
  readonly protectedWalk: boolean;
  /** Stage 2 may force cacheability: HCR_EL2.FWB. */
  readonly forcedWriteBack: boolean;
  readonly executeNeverByEl: boolean;
}

/** All regimes of a core at one generation of its control registers. */
export interface Controls {
  readonly generation: number;
  readonly e2h: boolean;
  readonly tge: boolean;
  readonly el10: Stage1Controls;
  readonly el2: Stage1Controls;
  /** Undefined while stage 2 is off. */
  readonly stage2: Stage2Controls | undefined;
  /** VMID of the EL1&0 regime; it tags entries whether stage 2 is on or off. */
  readonly vmid: number;
}

/** The controls as the system registers are now. */
export function controlsOf(core: Core): Controls {
  const cached = core.tlb.controls;
  if (cached !== undefined && cached.generation === core.sysreg.generation) return cached;
  const controls = readControls(core);
  core.tlb.controls = controls;
  return controls;
}

function readControls(core: Core): Controls {
  const { sysreg } = core;
  const e2h = flag(sysreg.HCR_EL2, HCR_EL2.E2H);
  const tge = flag(sysreg.HCR_EL2, HCR_EL2.TGE);
  const vmid = field(sysreg.VTTBR_EL2, vmidBits(core) + 47, 48);
  return {
    generation: sysreg.generation,
    e2h,
    tge,
    el10: el10Controls(core, e2h, tge),
    el2: el2Controls(core, e2h),
    stage2: stage2Enabled(core, e2h, tge) ? stage2Controls(core, vmid) : undefined,
    vmid,
  };
}

function vmidBits(core: Core): number {
  const sixteen = core.cpuModel.features.VMID16 && flag(core.sysreg.VTCR_EL2, 19);
  return sixteen ? 16 : 8;
}

/** Stage 1 is off under TGE without E2H, and under DC. Source: DDI0487 D24.2.49 HCR_EL2. */
function el10Controls(core: Core, e2h: boolean, tge: boolean): Stage1Controls {
  const { sysreg } = core;
  const { HCR_EL2: hcr, SCTLR_EL1: sctlr, TCR_EL1: tcr } = sysreg;
  const source = {
    tcr,
    bigEndian: flag(sctlr, SCTLR.EE),
    features: core.cpuModel.features,
    paBits: core.cpuModel.paBits,
  };
  const defaultCacheable = flag(hcr, HCR_EL2.DC) && !tge;
  return {
    regime: "EL1&0",
    enabled: flag(sctlr, SCTLR.M) && !defaultCacheable && !(tge && !e2h),
    defaultCacheable,
    defaultTagged: defaultCacheable && flag(hcr, HCR_EL2.DCT),
    lower: lowerRange({ ...source, ttbr: sysreg.TTBR0_EL1 }),
    upper: upperRange({ ...source, ttbr: sysreg.TTBR1_EL1 }),
    mair: sysreg.MAIR_EL1,
    asid: currentAsid(tcr, sysreg.TTBR0_EL1, sysreg.TTBR1_EL1),
    ...systemControls(sctlr),
  };
}

/** EL2, or EL2&0 when HCR_EL2.E2H is 1. */
function el2Controls(core: Core, e2h: boolean): Stage1Controls {
  const { sysreg } = core;
  const { SCTLR_EL2: sctlr, TCR_EL2: tcr } = sysreg;
  const source = {
    tcr,
    ttbr: sysreg.TTBR0_EL2,
    bigEndian: flag(sctlr, SCTLR.EE),
    features: core.cpuModel.features,
    paBits: core.cpuModel.paBits,
  };
  return {
    regime: e2h ? "EL2&0" : "EL2",
    enabled: flag(sctlr, SCTLR.M),
    defaultCacheable: false,
    defaultTagged: false,
    lower: e2h ? lowerRange(source) : singleRange(source),
    upper: e2h ? upperRange({ ...source, ttbr: sysreg.TTBR1_EL2 }) : undefined,
    mair: sysreg.MAIR_EL2,
    asid: e2h ? currentAsid(tcr, sysreg.TTBR0_EL2, sysreg.TTBR1_EL2) : 0,
    ...systemControls(sctlr),
  };
}

function systemControls(sctlr: bigint) {
  return {
    instructionCache: flag(sctlr, SCTLR.I),
    writeExecuteNever: flag(sctlr, SCTLR.WXN),
    alignmentCheck: flag(sctlr, SCTLR.A),
    nAA: flag(sctlr, SCTLR.nAA),
    bigEndian: flag(sctlr, SCTLR.EE),
    bigEndianEl0: flag(sctlr, SCTLR.E0E),
  };
}

/** TCR.A1 says which TTBR has the ASID, TCR.AS whether it has 16 bits. */
function currentAsid(tcr: bigint, ttbr0: bigint, ttbr1: bigint): number {
  const ttbr = flag(tcr, 22) ? ttbr1 : ttbr0;
  return field(ttbr, flag(tcr, 36) ? 63 : 55, 48);
}

/** HCR_EL2.VM, or DC; not for a host that is all of EL2 and EL0. */
function stage2Enabled(core: Core, e2h: boolean, tge: boolean): boolean {
  const hcr = core.sysreg.HCR_EL2;
  if (e2h && tge) return false;
  return flag(hcr, HCR_EL2.VM) || (flag(hcr, HCR_EL2.DC) && !tge);
}

function stage2Controls(core: Core, vmid: number): Stage2Controls {
  const { sysreg, cpuModel } = core;
  const bigEndian = flag(sysreg.SCTLR_EL2, SCTLR.EE);
  return {
    ...stage2Parameters(
      sysreg.VTCR_EL2,
      sysreg.VTTBR_EL2,
      bigEndian,
      cpuModel.features,
      cpuModel.paBits,
    ),
    vmid,
    protectedWalk: flag(sysreg.HCR_EL2, HCR_EL2.PTW),
    forcedWriteBack: cpuModel.features.S2FWB && flag(sysreg.HCR_EL2, HCR_EL2.FWB),
    executeNeverByEl: cpuModel.features.XNX,
  };
}

/** The stage 1 that translates for an Exception level. */
export function stage1Of(controls: Controls, el: El): Stage1Controls {
  if (el === 2) return controls.el2;
  return el === 0 && controls.e2h && controls.tge ? controls.el2 : controls.el10;
}

/** Stage 2, where the regime has one. */
export function stage2Of(controls: Controls, regime: Regime): Stage2Controls | undefined {
  return regime === "EL1&0" ? controls.stage2 : undefined;
}

/** The range that an address selects: by bit 55, where there are two. */
export function rangeOf(stage1: Stage1Controls, va: bigint): Stage1Range {
  return stage1.upper !== undefined && flag(va, 55) ? stage1.upper : stage1.lower;
}
