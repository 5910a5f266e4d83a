// Functions of the instructions that read and write allocation tags in memory.

import { dataAbort } from "../../exceptions/abort.ts";
import type { Fault } from "../../exceptions/exception.ts";
import { undefinedInstruction } from "../../exceptions/generate.ts";
import { takeException } from "../../exceptions/take.ts";
import { readTag, TAG_GRANULE_BYTES, writePhysical, writeTag } from "../../memory.ts";
import { type FaultRecord, stage1Fault } from "../../mmu/fault-record.ts";
import { isTagged } from "../../mmu/memory-attributes.ts";
import { tagAccessEnabled } from "../../mmu/tags.ts";
import { type Translation, translate } from "../../mmu/translate.ts";
import type { Core } from "../../state.ts";
import { ENTERED, NEXT, type Outcome } from "../outcome.ts";

const granule = BigInt(TAG_GRANULE_BYTES);

function abort(core: Core, va: bigint, record: FaultRecord, write: boolean): Fault {
  return dataAbort(core, va, record, { write, maintenance: false, syndrome: 0 });
}

function locate(core: Core, va: bigint, write: boolean): Translation | Fault {
  const { EL, PAN } = core.pstate;
  const kind = write ? "write" : "read";
  const pan = PAN === 1 && EL !== 0;
  const translation = translate(core, { va, kind, write, el: EL, pan, aligned: true });
  return "fault" in translation ? abort(core, va, translation, write) : translation;
}

/** Where tags are disabled or the memory has none, they read as zero and writes are ignored. */
const hasTags = (core: Core, { attributes }: Translation): boolean =>
  tagAccessEnabled(core, core.pstate.EL) && isTagged(attributes);

/** The address, if it is a multiple of 16. Source: DDI0487 C6.2 STG, AArch64.MemTag. */
function TagAlignedAddress(core: Core, va: bigint): bigint | Fault {
  return va % granule === 0n ? va : abort(core, va, stage1Fault("alignment", 0), true);
}

function ReadMemTag(core: Core, va: bigint): number | Fault {
  const where = locate(core, va, false);
  if ("type" in where) return where;
  return hasTags(core, where) ? readTag(core.memory, BigInt(where.pa)) : 0;
}

/** Writes a tag for each granule from `va` on, if all of them can be written. */
function writeEach(
  core: Core,
  va: bigint,
  count: number,
  tagOf: (granule: number) => number,
  zero: boolean,
): Outcome {
  const places: Translation[] = [];
  for (let i = 0; i < count; i++) {
    const where = locate(core, BigInt.asUintN(64, va + BigInt(i) * granule), true);
    if ("type" in where) {
      takeException(core, where);
      return ENTERED;
    }
    places.push(where);
  }
  places.forEach((where, i) => {
    const pa = BigInt(where.pa);
    if (zero) writePhysical(core.memory, pa, TAG_GRANULE_BYTES, 0n);
    if (hasTags(core, where)) writeTag(core.memory, pa, tagOf(i));
  });
  return NEXT;
}

function WriteMemTag(core: Core, va: bigint, count: number, tag: number): Outcome {
  return writeEach(core, va, count, () => tag, false);
}

/** A block of 4 << BS bytes, aligned to its size. Source: DDI0487 D24.2.46 GMID_EL1. */
function blockOf(va: bigint, bs: bigint): { va: bigint; count: number } {
  const sizeBytes = 4n << bs;
  return { va: va - (va % sizeBytes), count: Number(sizeBytes / granule) };
}

function undefinedAtEl0(core: Core): Fault | undefined {
  return core.pstate.EL === 0 ? undefinedInstruction(core) : undefined;
}

/** Tag i of the 16 that a block of 256 bytes has is at bits 4i + 3 to 4i. */
const slotOf = (va: bigint): number => Number((va / granule) & 15n);

/** Source: DDI0487 C6.2 LDGM. */
function ReadMemTags(core: Core, address: bigint): bigint | Fault {
  const refused = undefinedAtEl0(core);
  if (refused !== undefined) return refused;
  const { va, count } = blockOf(address, core.sysreg.GMID_EL1 & 15n);
  let value = 0n;
  for (let i = 0; i < count; i++) {
    const tag = ReadMemTag(core, va + BigInt(i) * granule);
    if (typeof tag !== "number") return tag;
    value |= BigInt(tag) << BigInt(4 * (slotOf(va) + i));
  }
  return value;
}

/** Source: DDI0487 C6.2 STGM. */
function WriteMemTags(core: Core, address: bigint, value: bigint): Outcome {
  const refused = undefinedAtEl0(core);
  if (refused !== undefined) {
    takeException(core, refused);
    return ENTERED;
  }
  const { va, count } = blockOf(address, core.sysreg.GMID_EL1 & 15n);
  const tagOf = (i: number): number => Number((value >> BigInt(4 * (slotOf(va) + i))) & 15n);
  return writeEach(core, va, count, tagOf, false);
}

/** Source: DDI0487 C6.2 STZGM. */
function ZeroMemoryAndWriteTags(core: Core, address: bigint, tag: number): Outcome {
  const refused = undefinedAtEl0(core);
  if (refused !== undefined) {
    takeException(core, refused);
    return ENTERED;
  }
  const { va, count } = blockOf(address, core.sysreg.DCZID_EL0 & 15n);
  return writeEach(core, va, count, () => tag, true);
}

export const memoryTagFunctions = {
  TagAlignedAddress,
  ReadMemTag,
  WriteMemTag,
  ReadMemTags,
  WriteMemTags,
  ZeroMemoryAndWriteTags,
};
