// SYS and SYSL: which system instruction, what may trap it, and what it does.

import { EC, type Exception, synchronous, type Unmodelled } from "../exceptions/exception.ts";
import { undefinedInstruction } from "../exceptions/generate.ts";
import { hcr } from "../exceptions/route.ts";
import { addressTranslate, atForm } from "../mmu/address-translate.ts";
import { blockWriteOf, maintainCache, writeBlock } from "../mmu/cache-maintenance.ts";
import { invalidateTlb, tlbiForm } from "../mmu/tlb-maintenance.ts";
import type { Core } from "../state.ts";
import { trapSyndrome, unknown } from "./access.ts";
import { flag, HCR_EL2, SCTLR } from "./fields.ts";
import {
  cacheInstructions,
  predictionInstructions,
  type SystemInstructionRow,
  type SystemInstructionRules,
  tlbInstructions,
  translationInstructions,
} from "./tables/system-instructions.ts";
import { el0Unless, isGuest } from "./traps.ts";

/** A system instruction, ready to use. */
interface SystemInstruction {
  readonly name: string;
  readonly el: 0 | 1 | 2;
  readonly rules: SystemInstructionRules;
  /** Controls other than HFGITR_EL2; the level that takes the trap. */
  readonly trap: (core: Core) => 1 | 2 | undefined;
  readonly execute: (core: Core, value: bigint) => Exception | undefined;
}

const table = new Map<string, SystemInstruction>();

function add(
  [name, encoding, rules = {}]: SystemInstructionRow,
  trap: SystemInstruction["trap"],
  execute: SystemInstruction["execute"],
): void {
  const op1 = encoding[0];
  const el = rules.el ?? (op1 === "3" ? 0 : op1 === "4" ? 2 : 1);
  table.set(encoding, { name, el, rules, trap, execute });
}

for (const row of cacheInstructions) add(row, cacheTrap(row[0]), cacheOperation(row[0]));
for (const row of translationInstructions) {
  const form = atForm(row[0].slice("AT ".length));
  add(row, noTrap, (core, value) => addressTranslate(core, form, value));
}
for (const row of predictionInstructions) {
  // Nothing is predicted.
  add(
    row,
    (core) => el0Unless(core, SCTLR.EnRCTX),
    () => undefined,
  );
}
for (const row of tlbInstructions) {
  const form = tlbiForm(row[0].slice("TLBI ".length));
  add(row, tlbiTrap(row[0]), (core, value) => {
    const broadcast = core.pstate.EL === 1 && hcr(core, HCR_EL2.FB);
    invalidateTlb(core, form, value, broadcast);
    return undefined;
  });
}

function noTrap(): undefined {
  return undefined;
}

/** What DC and IC do: by set and way or all nothing, by address a translation, ZVA a write. */
function cacheOperation(name: string): SystemInstruction["execute"] {
  const what = name.slice(3);
  if (what === "ZVA" || what === "GVA" || what === "GZVA") {
    return (core, value) => writeBlock(core, value, blockWriteOf(what, value));
  }
  if (/SW$|^IALLU/.test(what)) return () => undefined;
  const loses = /^I.*VAC$/.test(what) && name.startsWith("DC");
  return (core, value) => maintainCache(core, value, loses);
}

/**
 * DC and IC at EL0 need SCTLR_ELx.UCI or DZE; below EL2, HCR_EL2 traps by point of coherency,
 * point of unification, set and way, and DC ZVA. Source: DDI0487 D24.2.49 HCR_EL2.
 */
function cacheTrap(name: string): SystemInstruction["trap"] {
  const zero = / (ZVA|GVA|GZVA)$/.test(name);
  const bits = hcrBitsOf(name, zero);
  return (core) => {
    const denied = el0Unless(core, zero ? SCTLR.DZE : SCTLR.UCI);
    if (denied !== undefined) return denied;
    return isGuest(core) && bits.some((bit) => hcr(core, bit)) ? 2 : undefined;
  };
}

function hcrBitsOf(name: string, zero: boolean): readonly number[] {
  if (zero) return [HCR_EL2.TDZ];
  if (name.endsWith("SW")) return [HCR_EL2.TSW];
  if (name === "IC IALLUIS") return [HCR_EL2.TPU, HCR_EL2.TICAB];
  if (/IALLU$|VAU$/.test(name)) return [HCR_EL2.TPU, HCR_EL2.TOCU];
  return [HCR_EL2.TPCP];
}

/** HCR_EL2.TTLB, and TTLBIS or TTLBOS for the shareable forms; EL1 only. */
function tlbiTrap(name: string): SystemInstruction["trap"] {
  const bits: number[] = [HCR_EL2.TTLB];
  if (name.endsWith("IS")) bits.push(HCR_EL2.TTLBIS);
  if (name.endsWith("OS")) bits.push(HCR_EL2.TTLBOS);
  return (core) => (core.pstate.EL === 1 && bits.some((bit) => hcr(core, bit)) ? 2 : undefined);
}

/** SYS. Source: DDI0487 C6.2 SYS. */
export function executeSys(
  core: Core,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
  value: bigint,
): undefined | Exception | Unmodelled {
  const encoding = { op0: 1, op1, CRn, CRm, op2 };
  const iss = trapSyndrome(encoding, Rt, true);
  const instruction = table.get(`${op1} ${CRn} ${CRm} ${op2}`);
  if (instruction === undefined) return unknown(core, encoding, iss);
  const { feature, fgt } = instruction.rules;
  const absent = feature !== undefined && !core.cpuModel.features[feature];
  if (absent || core.pstate.EL < instruction.el) return undefinedInstruction(core);
  const target = instruction.trap(core) ?? fineGrained(core, fgt);
  if (target !== undefined) return synchronous(target, EC.SystemRegisterTrap, iss);
  return instruction.execute(core, value);
}

/** HFGITR_EL2. Source: DDI0487 D24.2.62. */
function fineGrained(core: Core, bit: number | undefined): 2 | undefined {
  if (bit === undefined || !core.cpuModel.features.FGT || !isGuest(core)) return undefined;
  return flag(core.sysreg.HFGITR_EL2, bit) ? 2 : undefined;
}

/** SYSL: v8.5 has only IMPLEMENTATION DEFINED ones. */
export function executeSysl(
  core: Core,
  op1: number,
  CRn: number,
  CRm: number,
  op2: number,
  Rt: number,
): bigint | Exception | Unmodelled {
  const encoding = { op0: 1, op1, CRn, CRm, op2 };
  return unknown(core, encoding, trapSyndrome(encoding, Rt, false));
}
