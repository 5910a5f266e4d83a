// Vectors of MRS, MSR, SYS, ERET and of what else is trapped: which controls are on.

import { aim } from "./aim.ts";
import { type Draft, SPSR, setBits, settingOf } from "./draft.ts";
import { pointerValue } from "./generate-pointers.ts";
import { operandValue } from "./operand-values.ts";
import {
  ALL_SYSREGS,
  fineGrainedTraps,
  isLimited,
  needsEl2Off,
  type SystemEncoding,
  systemOperation,
  systemRegister,
  trapBits,
  unrecordedReason,
  writtenValue,
} from "./system-words.ts";
import { EL_MODES } from "./vector.ts";

/** The word's register or operation, with fields placed as MRS, MSR, SYS and SYSL have them. */
export function systemWord(draft: Draft, isRegister: boolean): SystemEncoding {
  return isRegister ? systemRegister(draft.random) : systemOperation(draft.random);
}

function nameOf(encoding: SystemEncoding) {
  const same = (row: SystemEncoding) =>
    row.op0 === encoding.op0 &&
    row.op1 === encoding.op1 &&
    row.CRn === encoding.CRn &&
    row.CRm === encoding.CRm &&
    row.op2 === encoding.op2;
  return ALL_SYSREGS.find(same)?.name;
}

const field = (word: number, low: number, width: number): number =>
  (word >>> low) & (2 ** width - 1);

/** The encoding of a word of MRS, MSR, SYS or SYSL. */
export function systemEncodingOf(word: number): SystemEncoding {
  return {
    op0: field(word, 19, 2),
    op1: field(word, 16, 3),
    CRn: field(word, 12, 4),
    CRm: field(word, 8, 4),
    op2: field(word, 5, 3),
  };
}

/** Whether the word may be recorded in this configuration at all. */
export function isRecordable(draft: Draft): boolean {
  const word = draft.words[0]!;
  const encoding = systemEncodingOf(word);
  const isWrite = field(word, 21, 1) === 0;
  const name = nameOf(encoding);
  if (encoding.op0 === 1) return encoding.CRm !== 4 || draft.configuration.name !== "stage2-4k";
  if (name !== undefined && unrecordedReason(name) !== undefined) return false;
  const atEl2 = draft.el.startsWith("EL2");
  // MSR of XZR writes zero, which is not always a value that the harness survives.
  if (isWrite && atEl2 && (word & 31) === 31 && isLimited(name)) return false;
  if (isWrite && atEl2 && needsEl2Off(name)) return draft.configuration.name === "el2-off";
  // SCTLR_EL2.M and C stay as the configuration has them: `writtenValue` knows one of them.
  if (isWrite && atEl2 && name === "SCTLR_EL2") return draft.configuration.name === "flat";
  // What has no name here may still exist in QEMU, and change what the harness runs on.
  return name !== undefined || !atEl2 || !isWrite || encoding.op0 < 2;
}

/** DC ZVA on Device memory is an alignment fault, which QEMU misses: it goes elsewhere. */
function operationAddress(draft: Draft, { CRm }: SystemEncoding): bigint {
  const { configuration, random } = draft;
  const targets = configuration.targets.filter(({ memory }) => CRm !== 4 || memory !== "device");
  return aim(random, targets, 64, "plain").va;
}

/** Traps, and the value of Xt: what is written, or the address that an operation is about. */
export function prepareSystem(draft: Draft, withFineGrained: boolean): void {
  const { random, settings } = draft;
  const word = draft.words[0]!;
  const encoding = systemEncodingOf(word);
  const Rt = word & 31;
  if (withFineGrained && !random.oneIn(4)) fineGrainedTraps(random, settings);
  else trapBits(random, settings, (name) => settingOf(draft, name));
  if (encoding.op0 === 1 && encoding.CRn === 7) draft.tags = draft.configuration.name !== "el2-off";
  if (Rt === 31) return;
  if (encoding.op0 !== 1) draft.x[Rt] = writtenValue(random, nameOf(encoding));
  else if (encoding.CRn === 7) draft.x[Rt] = operationAddress(draft, encoding);
  else
    draft.x[Rt] = random.oneIn(2) ? operandValue(random) : random.bits64() & 0xffff_0000_ffff_ffffn;
  if (encoding.op0 === 1 && random.oneIn(2)) setBits(draft, "SCTLR_EL1", 0x400_4000n);
}

/** SPSR_EL1 for ERET: mostly a return that is legal at EL1. */
export function prepareExceptionReturn(draft: Draft): void {
  const { random, settings } = draft;
  const modes = [EL_MODES.EL0t, EL_MODES.EL0t, EL_MODES.EL1t, EL_MODES.EL1h, EL_MODES.EL1h];
  const illegal = [EL_MODES.EL2t, EL_MODES.EL2h, 1, 7, 12, 13];
  const mode = random.pick(random.oneIn(6) ? illegal : modes);
  const flags = (random.below(16) << 28) | (random.below(16) << 6);
  const others = [SPSR.PAN, SPSR.UAO, SPSR.DIT, SPSR.TCO, SPSR.SSBS, 1 << 10, 2 << 10];
  let spsr = mode | flags;
  for (const bit of others) if (random.oneIn(4)) spsr |= bit;
  if (random.oneIn(20)) spsr |= SPSR.IL;
  settings.set("SPSR_EL1", BigInt(spsr >>> 0));
  settings.set("ELR_EL1", pointerValue(random));
}

/** Exception-generating instructions and hints: the controls that route or trap them. */
export function prepareException(draft: Draft): void {
  const { random, settings, el } = draft;
  const hcr = settingOf(draft, "HCR_EL2");
  const positions = [13, 14, 29, 19];
  if (random.oneIn(2)) settings.set("HCR_EL2", hcr ^ (1n << BigInt(random.pick(positions))));
  if (random.oneIn(3))
    settings.set(
      "SCTLR_EL1",
      settingOf(draft, "SCTLR_EL1") ^ (1n << BigInt(random.pick([16, 18]))),
    );
  if (el === "EL0t" && draft.configuration.name === "off" && random.oneIn(2))
    setBits(draft, "HCR_EL2", 1n << 27n);
}

const HCR_TSC = 1n << 19n;

/**
 * Whether QEMU can run the word: under software step it skips WFI with its traps, SMC that is not
 * trapped is QEMU's own firmware, HLT #0xF000 is semihosting, and BRAA or BRAB of another register
 * than X16 and X17 ends QEMU 10.0.2 (assertion `pc_save != -1` in gen_pc_plus_diff).
 */
export function isRunnable(draft: Draft): boolean {
  const word = draft.words[0]!;
  const hcr = settingOf(draft, "HCR_EL2");
  if (word === 0xd503_207f) return false;
  if ((word & 0xffe0_001f) >>> 0 === 0xd400_0003)
    return draft.el.startsWith("EL1") && (hcr & HCR_TSC) !== 0n;
  const rn = (word >>> 5) & 31;
  if ((word & 0xffff_f800) >>> 0 === 0xd71f_0800 && rn !== 16 && rn !== 17) return false;
  return word !== 0xd45e_0000;
}
