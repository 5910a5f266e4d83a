// Vectors of loads, stores, atomics and tag instructions: where they go and what they find there.

import type { DataAccess } from "../../model/machine/data-access.ts";
import { aim, setBase, windowCells } from "./aim.ts";
import {
  type Draft,
  registerValue,
  SPSR,
  sctlrName,
  setBits,
  setRegister,
  settingOf,
} from "./draft.ts";
import { LAYOUT, windowTag } from "./layout.ts";
import { operandValue, relatedValue, wrap } from "./operand-values.ts";
import type { Target } from "./page-zoo.ts";

const bit = (position: number): bigint => 1n << BigInt(position);

/** Bits of SCTLR_ELx that change what an access does: A, SA, SA0, nAA. */
const ALIGNMENT_BITS = [1, 3, 4, 6];
const BIG_ENDIAN = { EL0t: bit(24), EL1h: bit(25), EL1t: bit(25) };
const TBI = { SCTLR_EL1: bit(37) | bit(38), SCTLR_EL2: bit(20) };
const TCMA = { SCTLR_EL1: bit(57) | bit(58), SCTLR_EL2: bit(30) };

/** Alignment checks; in the configuration without translation also big-endian data. */
function setAlignment(draft: Draft): void {
  const { random, el, configuration } = draft;
  for (const position of ALIGNMENT_BITS)
    if (random.oneIn(10)) setBits(draft, sctlrName(draft), bit(position));
  if (configuration.name === "off" && el in BIG_ENDIAN && random.oneIn(12))
    setBits(draft, "SCTLR_EL1", BIG_ENDIAN[el as keyof typeof BIG_ENDIAN]);
}

/** QEMU has no stack alignment checks: they stay off where one would fail. */
function keepStackChecksOff(draft: Draft): void {
  const name = sctlrName(draft);
  if (registerValue(draft, 31) % 16n === 0n || !draft.settings.has(name)) return;
  draft.settings.set(name, settingOf(draft, name) & ~(bit(3) | bit(4)));
}

/** SCTLR_EL2.ATA clear: the harness cannot see tags either. */
function withoutTags(draft: Draft): void {
  draft.settings.set("SCTLR_EL2", settingOf(draft, "SCTLR_EL2") & ~bit(43));
  draft.tags = false;
}

/** Switches allocation tags and their checks on; returns the address with a tag. */
function tagAccess(draft: Draft, va: bigint): bigint {
  const { random } = draft;
  draft.tags = true;
  const sctlr = sctlrName(draft);
  const translation = sctlr === "SCTLR_EL1" ? "TCR_EL1" : "TCR_EL2";
  setBits(draft, translation, TBI[sctlr] | (random.oneIn(4) ? TCMA[sctlr] : 0n));
  const checks = BigInt(random.below(3));
  const checksAtEl0 = sctlr === "SCTLR_EL1" ? BigInt(random.below(3)) << 38n : 0n;
  const access = random.oneIn(8) ? 0n : bit(42) | bit(43);
  setBits(draft, sctlr, (checks << 40n) | checksAtEl0 | (sctlr === "SCTLR_EL1" ? access : 0n));
  if (sctlr === "SCTLR_EL2" && access === 0n) withoutTags(draft);
  if (random.oneIn(10)) draft.settings.set("HCR_EL2", settingOf(draft, "HCR_EL2") & ~bit(56));
  if (!random.oneIn(4)) draft.pstate &= ~SPSR.TCO;
  const granule = Number((va & 0x3fffn) >> 4n);
  const tag = random.oneIn(3) ? random.below(16) : windowTag(granule);
  return (va & ~(15n << 56n)) | (BigInt(tag) << 56n);
}

/**
 * Authentication makes any address canonical: without translation it would lead to QEMU's devices.
 */
function targetsFor({ configuration }: Draft, { kind }: DataAccess): readonly Target[] {
  const { targets, name } = configuration;
  if (kind !== "authenticated" || !/off$/.test(name)) return targets;
  return targets.filter(({ pa }) => pa !== undefined);
}

/** An address for the access, and its physical address where it is known. */
function chooseAddress(draft: Draft, access: DataAccess): { va: bigint; pa: bigint | undefined } {
  const { random, configuration } = draft;
  const { tagged } = configuration;
  // What may write tags is always compared with them, where the harness can see them.
  const { features } = draft;
  if (access.kind === "tags" && configuration.name !== "el2-off") draft.tags = true;
  const wantsTags = features.MTE2 && (access.kind === "tags" || random.oneIn(8));
  if (tagged === undefined || !wantsTags || random.oneIn(6)) {
    const targets = targetsFor(draft, access);
    const { va, pa } = aim(random, targets, access.sizeBytes, access.kind);
    // The top byte, where it may be ignored or not.
    return { va: random.oneIn(12) ? va ^ (BigInt(random.below(256)) << 56n) : va, pa };
  }
  const granules = LAYOUT.WINDOW_BYTES / 16;
  const within = access.kind === "tags" && !random.oneIn(6) ? 0 : random.below(16);
  const offset = BigInt(16 * random.below(granules - 32) + within);
  return { va: tagAccess(draft, tagged + offset), pa: BigInt(LAYOUT.WINDOW) + offset };
}

/** For atomics: what memory holds, and operands that compare with it in every way. */
function meetMemory(draft: Draft, access: DataAccess, pa: bigint | undefined): void {
  const { random } = draft;
  if (pa === undefined || access.kind !== "atomic" || pa % 8n !== 0n) return;
  const count = Math.max(1, access.sizeBytes / 8);
  const values = Array.from({ length: count }, () => operandValue(random));
  draft.memory.push(...windowCells(pa, values));
  const word = draft.words[0]!;
  const operand = (word >>> 16) & 31;
  values.forEach((value, i) => {
    const register = operand + (access.sizeBytes === 8 && access.pair ? 0 : i);
    if (register < 31 && register !== access.base && random.oneIn(2))
      draft.x[register] = relatedValue(random, value);
  });
}

/** The state for a load or store. */
export function prepareAccess(draft: Draft, access: DataAccess): void {
  setAlignment(draft);
  const { va, pa } = chooseAddress(draft, access);
  if (access.base === undefined) prepareLiteral(draft, access);
  else setBase(draft.random, access, va, (register, value) => setRegister(draft, register, value));
  if (access.base === 31) keepStackChecksOff(draft);
  meetMemory(draft, access, pa);
}

/**
 * Literals: without translation the instruction goes where its literal is in the window;
 * otherwise it reads its own slot.
 */
function prepareLiteral(draft: Draft, access: DataAccess): void {
  const { random, configuration } = draft;
  if (configuration.name !== "off" && configuration.name !== "el2-off") {
    const own = draft.words[0]! & ~(0x7ffff << 5);
    draft.words = [
      (own | (random.pick(access.sizeBytes === 8 ? [0, 2] : [0, 1, 2, 3]) << 5)) >>> 0,
    ];
    return;
  }
  const literal = BigInt(LAYOUT.WINDOW + 4 * random.below(LAYOUT.WINDOW_BYTES / 4 - 2));
  draft.pc = wrap(literal - access.offset);
  draft.pa = draft.pc;
}
