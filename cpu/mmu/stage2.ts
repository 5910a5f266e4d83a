// Stage 2: from an intermediate physical address to a physical address.

import type { Core } from "../state.ts";
import {
  type Descriptor,
  descriptorAddress,
  descriptorBit,
  descriptorField,
  descriptorKind,
  entryAddress,
  exceeds,
  readDescriptor,
  updateDescriptor,
} from "./descriptor.ts";
import { type FaultRecord, type FaultType, stage2Fault } from "./fault-record.ts";
import { isDevice, stage2Attributes } from "./memory-attributes.ts";
import type { Stage2Controls } from "./regime.ts";
import type { Request } from "./request.ts";
import { cachedStage2, cachedTable, rememberStage2, rememberTable } from "./tlb.ts";
import { levelShift } from "./walk-parameters.ts";

/** What a block or page descriptor of stage 2 says. */
export interface Stage2Leaf {
  /** Physical address of the block or page, and log2 of its size. */
  readonly output: number;
  readonly sizeBits: number;
  readonly level: number;
  readonly readable: boolean;
  readonly writable: boolean;
  /** XN[1:0]. */
  readonly xn: number;
  readonly memAttr: number;
  readonly sh: number;
  /** What hardware still has to set in the descriptor. */
  readonly update: Stage2Update | undefined;
}

interface Stage2Update {
  readonly at: number;
  readonly bigEndian: boolean;
  /** The access flag is to be set. */
  readonly accessed: boolean;
  /** Writable by DBM, but clean: the first write sets S2AP[1]. */
  readonly clean: boolean;
}

/** The leaf that translates an IPA. Source: DDI0487 D8.2.2; AArch64.S2Walk. */
export function walkStage2(
  core: Core,
  s2: Stage2Controls,
  ipa: number,
  onStage1Walk: boolean,
): Stage2Leaf | FaultRecord {
  const kept = cachedStage2(core.tlb, s2.vmid, ipa);
  if (kept !== undefined) return kept;
  const fail = (fault: FaultType, level: number) => stage2Fault(fault, level, ipa, onStage1Walk);
  if (!s2.valid || exceeds(ipa, s2.inputBits)) return fail("translation", 0);
  if (exceeds(s2.base, s2.outputBits)) return fail("addressSize", 0);
  const context = { regime: "EL1&0", vmid: s2.vmid, asid: 0 } as const;
  const start = cachedTable(core.tlb, 2, context, ipa);
  let table = start?.table ?? s2.base;
  for (let level = start?.level ?? s2.startLevel; ; level++) {
    const at = entryAddress(table, ipa, s2.granuleBits, level, level === s2.startLevel);
    const descriptor = readDescriptor(core.memory, at, s2.bigEndian);
    if (descriptor === undefined) return fail("externalAbortOnWalk", level);
    const kind = descriptorKind(descriptor, level, s2.granuleBits);
    if (kind === "invalid") return fail("translation", level);
    const sizeBits = levelShift(s2.granuleBits, level);
    const output = descriptorAddress(descriptor, kind === "leaf" ? sizeBits : s2.granuleBits);
    if (exceeds(output, s2.outputBits)) return fail("addressSize", level);
    if (kind === "leaf") {
      const leaf = leafOf(s2, descriptor, at, output, level);
      if (leaf === undefined) return fail("accessFlag", level);
      rememberStage2(core.tlb, { vmid: s2.vmid, input: ipa, sizeBits, leaf });
      return leaf;
    }
    table = output;
    rememberTable(core.tlb, {
      ...context,
      stage: 2,
      input: ipa,
      sizeBits,
      table,
      level: level + 1,
      hierarchical: 0,
    });
  }
}

/** What a block or page descriptor says; undefined for an Access flag fault. */
function leafOf(
  s2: Stage2Controls,
  descriptor: Descriptor,
  at: number,
  output: number,
  level: number,
): Stage2Leaf | undefined {
  const accessed = descriptorBit(descriptor, 10) === 1;
  if (!accessed && !s2.ha) return undefined;
  const writable = descriptorBit(descriptor, 7) === 1;
  const dirtyManaged = s2.hd && descriptorBit(descriptor, 51) === 1;
  const clean = dirtyManaged && !writable;
  return {
    output,
    sizeBits: levelShift(s2.granuleBits, level),
    level,
    readable: descriptorBit(descriptor, 6) === 1,
    writable: writable || dirtyManaged,
    // Without FEAT_XNX there is only bit 54.
    xn: descriptorField(descriptor, 54, 53) & (s2.executeNeverByEl ? 3 : 2),
    memAttr: descriptorField(descriptor, 5, 2),
    sh: descriptorField(descriptor, 9, 8),
    update:
      accessed && !clean ? undefined : { at, bigEndian: s2.bigEndian, accessed: !accessed, clean },
  };
}

/** The physical address of an IPA within a leaf. */
export function outputOf(leaf: { output: number; sizeBits: number }, input: number): number {
  return leaf.output + (input % 2 ** leaf.sizeBits);
}

/**
 * Whether stage 2 allows the access; undefined when it does.
 * Source: DDI0487 D8.4.3 Stage 2 data accesses and instruction execution; S2CheckPermission.
 */
export function checkStage2Permission(
  leaf: Stage2Leaf,
  request: Request,
  ipa: number,
): FaultRecord | undefined {
  return stage2Allows(leaf, request)
    ? undefined
    : stage2Fault("permission", leaf.level, ipa, false);
}

function stage2Allows(leaf: Stage2Leaf, request: Request): boolean {
  if (request.kind === "fetch") return !stage2ExecuteNever(leaf.xn, request.el);
  // Maintenance by a level above EL0 needs no permission.
  if (request.kind === "cache" && request.el !== 0 && !request.write) return true;
  return request.write ? leaf.writable : leaf.readable;
}

/** XN[1:0]: never, only at EL0, not at all, only at EL1. */
function stage2ExecuteNever(xn: number, el: number): boolean {
  switch (xn) {
    case 0b00:
      return false;
    case 0b01:
      return el === 1;
    case 0b10:
      return true;
    default:
      return el === 0;
  }
}

/** What hardware writes back once an access has been allowed. */
export function updateStage2(core: Core, leaf: Stage2Leaf, write: boolean): void {
  const { update } = leaf;
  if (update === undefined || !(update.accessed || (update.clean && write))) return;
  updateDescriptor(core.memory, update.at, update.bigEndian, ({ low, high }) => ({
    low: (low | (1 << 10) | (update.clean && write ? 1 << 7 : 0)) >>> 0,
    high,
  }));
}

/**
 * The physical address at which a descriptor of stage 1 is, when its table is behind stage 2. The
 * walk is a read, whatever the access is; a write only where hardware updates the descriptor.
 */
export function translateWalk(
  core: Core,
  s2: Stage2Controls,
  ipa: number,
  update: boolean,
): number | FaultRecord {
  const leaf = walkStage2(core, s2, ipa, true);
  if ("fault" in leaf) return leaf;
  const device = isDevice(stage2Attributes(leaf.memAttr, leaf.sh));
  if (!(update ? leaf.writable : leaf.readable) || (s2.protectedWalk && device)) {
    return stage2Fault("permission", leaf.level, ipa, true);
  }
  updateStage2(core, leaf, update);
  return outputOf(leaf, ipa);
}
