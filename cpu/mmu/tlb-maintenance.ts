// TLBI: which kept translations each form takes away, and from which cores.

import type { Features } from "../cpu-model.ts";
import type { Core } from "../state.ts";
import { flushMicroTlb } from "./micro-tlb.ts";
import { controlsOf, type Regime } from "./regime.ts";
import { drop, type LeafEntry, type Stage2Entry, type TableEntry, type Tlb } from "./tlb.ts";
import { tlbInput } from "./translate.ts";

/** A form of TLBI, as its name spells it. */
export interface TlbiForm {
  /** A range of addresses (FEAT_TLBIRANGE). */
  readonly range: boolean;
  /** What is named: everything, both stages of a VMID, an ASID, an address with or without ASID. */
  readonly by: "VMALL" | "VMALLS12" | "ALL" | "ASID" | "VA" | "VAA" | "IPAS2";
  /** Only the last level of the walk. */
  readonly lastLevel: boolean;
  readonly el: 1 | 2;
  /** Inner or outer shareable: all cores. */
  readonly shareable: boolean;
}

const spelling = /^(R)?(VMALLS12|VMALL|ALL|ASID|VAA|VA|IPAS2)(L)?E([12])(IS|OS)?$/;

/** Reads the name of a TLBI instruction. Source: DDI0487 D8.13.5 TLB maintenance instructions. */
export function tlbiForm(name: string): TlbiForm {
  const match = spelling.exec(name);
  if (match === null) throw new Error(`${name} is no TLBI`);
  const [, range, by, last, el, shareable] = match;
  return {
    range: range !== undefined,
    by: by as TlbiForm["by"],
    lastLevel: last !== undefined,
    el: el === "2" ? 2 : 1,
    shareable: shareable !== undefined,
  };
}

/** Addresses that a TLBI names: first, how many bytes, and the level that it hints at. */
interface Named {
  readonly first: number;
  readonly sizeBytes: number;
  /** TTL: only entries of this level need to go. Undefined is any. */
  readonly level: number | undefined;
}

/** Executes a TLBI. `broadcast` is HCR_EL2.FB at EL1. */
export function invalidateTlb(core: Core, form: TlbiForm, value: bigint, broadcast: boolean): void {
  const controls = controlsOf(core);
  const host = core.pstate.EL === 2 && controls.e2h && controls.tge;
  const el2Regime: Regime = controls.e2h ? "EL2&0" : "EL2";
  // To a host the forms of EL1 mean its own regime, but for the ones that name both stages.
  const own = form.el === 2 || (host && form.by !== "VMALLS12");
  const regime: Regime = own ? el2Regime : "EL1&0";
  const selection: Selection = {
    regime,
    vmid: regime === "EL1&0" ? controls.vmid : 0,
    asid: regime === "EL2" ? 0 : Number(BigInt.asUintN(16, value >> 48n)),
    stage2Vmid: controls.vmid,
  };
  const { features } = core.cpuModel;
  const cores = form.shareable || broadcast ? core.memory.cores : [core];
  for (const each of cores) {
    if (each.tlb.mode === "none") continue;
    remove(each.tlb, form, named(form, value, features), selection);
    flushMicroTlb(each.tlb.micro);
  }
}

interface Selection {
  readonly regime: Regime;
  readonly vmid: number;
  readonly asid: number;
  readonly stage2Vmid: number;
}

/** What the value of a form by address names; undefined where it names nothing. */
function named(form: TlbiForm, value: bigint, features: Features): Named | undefined {
  if (form.range) return namedRange(value);
  return namedAddress(value, form.by === "IPAS2" ? IPA_BITS : VA_BITS, features);
}

function remove(
  tlb: Tlb,
  form: TlbiForm,
  addresses: Named | undefined,
  selection: Selection,
): void {
  switch (form.by) {
    case "ALL":
      if (form.el === 2) removeRegime(tlb, selection.regime);
      else removeGuests(tlb);
      return;
    case "VMALL":
      removeStage1(tlb, selection, undefined);
      return;
    case "VMALLS12":
      removeStage1(tlb, selection, undefined);
      removeStage2(tlb, (entry) => entry.vmid === selection.stage2Vmid);
      return;
    case "ASID":
      removeStage1(tlb, selection, selection.asid);
      return;
    case "VA":
      if (addresses !== undefined) removeAddress(tlb, form, addresses, selection, true);
      return;
    case "VAA":
      if (addresses !== undefined) removeAddress(tlb, form, addresses, selection, false);
      return;
    case "IPAS2":
      if (addresses !== undefined) removeIpa(tlb, form, addresses, selection.stage2Vmid);
      return;
  }
}

function removeRegime(tlb: Tlb, regime: Regime): void {
  drop(tlb.leaves, (entry) => entry.regime === regime);
  drop(tlb.tables, (entry) => entry.stage === 1 && entry.regime === regime);
}

/** ALLE1: both stages of all VMIDs. */
function removeGuests(tlb: Tlb): void {
  removeRegime(tlb, "EL1&0");
  removeStage2(tlb, () => true);
}

/** Entries of a regime and VMID, or those of one ASID; global ones belong to no ASID. */
function removeStage1(tlb: Tlb, { regime, vmid }: Selection, asid: number | undefined): void {
  const ours = (entry: LeafEntry | TableEntry) => entry.regime === regime && entry.vmid === vmid;
  const named = (entry: { asid: number }) => asid === undefined || entry.asid === asid;
  const spared = (entry: LeafEntry) => asid !== undefined && entry.stage1.global;
  drop(tlb.leaves, (entry) => ours(entry) && named(entry) && !spared(entry));
  drop(tlb.tables, (entry) => entry.stage === 1 && ours(entry) && named(entry));
}

function removeStage2(tlb: Tlb, matches: (entry: { vmid: number }) => boolean): void {
  drop(tlb.stage2, matches);
  drop(tlb.tables, (entry) => entry.stage === 2 && matches(entry));
}

/** By virtual address; entries of the upper range are known by bit 55. */
function removeAddress(
  tlb: Tlb,
  form: TlbiForm,
  named: Named,
  selection: Selection,
  withAsid: boolean,
): void {
  const { regime, vmid, asid } = selection;
  const twoRanges = regime !== "EL2";
  const upper = twoRanges && Math.floor(named.first / 2 ** 55) % 2 === 1;
  const first = tlbInput(named.first % 2 ** 48, upper);
  const ours = (entry: LeafEntry | TableEntry) =>
    entry.regime === regime && entry.vmid === vmid && overlaps(entry, first, named.sizeBytes);
  drop(tlb.leaves, (entry) => {
    if (!ours(entry) || !ofLevel(entry.stage1.level, named.level)) return false;
    return !withAsid || entry.stage1.global || entry.asid === asid;
  });
  if (form.lastLevel) return;
  drop(
    tlb.tables,
    (entry) => entry.stage === 1 && ours(entry) && (!withAsid || entry.asid === asid),
  );
}

/** By intermediate physical address: stage 2 alone; whole translations stay. */
function removeIpa(tlb: Tlb, form: TlbiForm, named: Named, vmid: number): void {
  const ours = (entry: Stage2Entry | TableEntry) =>
    entry.vmid === vmid && overlaps(entry, named.first, named.sizeBytes);
  drop(tlb.stage2, (entry) => ours(entry) && ofLevel(entry.leaf.level, named.level));
  if (form.lastLevel) return;
  drop(tlb.tables, (entry) => entry.stage === 2 && ours(entry));
}

function ofLevel(level: number, hinted: number | undefined): boolean {
  return hinted === undefined || level === hinted;
}

/** Whether an entry covers any byte of the range. */
function overlaps(
  entry: { input: number; sizeBits: number },
  first: number,
  sizeBytes: number,
): boolean {
  const size = 2 ** entry.sizeBits;
  const start = entry.input - (entry.input % size);
  return start < first + sizeBytes && first < start + size;
}

/** The bits of a TLBI's value that are an address: of a page of VA, or of IPA. */
const VA_BITS = 44;
const IPA_BITS = 36;

/** Address bits 55 to 12, or 47 to 12, and TTL. Source: DDI0487 C5.5 TLBI VAE1, TLBI IPAS2E1. */
function namedAddress(value: bigint, bits: number, features: Features): Named {
  const ttl = Number((value >> 44n) & 15n);
  return {
    first: Number(BigInt.asUintN(bits, value)) * 4096,
    sizeBytes: 4096,
    level: features.TTL ? hintedLevel(ttl >>> 2, ttl & 3) : undefined,
  };
}

/**
 * The level that a hint names. Where there is no such leaf it counts as no hint: level 0, and
 * level 1 of 16 KiB granules (2). Source: DDI0487 C5.5 TLBI VAE1, TTL.
 */
function hintedLevel(granule: number, level: number): number | undefined {
  const none = granule === 0 || level === 0 || (granule === 2 && level === 1);
  return none ? undefined : level;
}

/**
 * BaseADDR, TG, SCALE, NUM and TTL; nothing where TG is reserved. BaseADDR counts granules.
 * Source: DDI0487 C5.5 TLBI RVAE1.
 */
function namedRange(value: bigint): Named | undefined {
  const tg = Number((value >> 46n) & 3n);
  if (tg === 0) return undefined;
  const granule = 2 ** (10 + 2 * tg);
  const scale = Number((value >> 44n) & 3n);
  const num = Number((value >> 39n) & 31n);
  const ttl = Number((value >> 37n) & 3n);
  // BaseADDR is sign-extended to bit 55 and cut there, where the range is found out.
  const base = BigInt.asUintN(56, BigInt.asIntN(37, value) * BigInt(granule));
  return {
    first: Number(base),
    sizeBytes: (num + 1) * 2 ** (5 * scale + 1) * granule,
    level: hintedLevel(tg, ttl),
  };
}
