// Functions of the instructions that read and write allocation tags in memory.

import type { Exception, Fault } from "../../exceptions/exception.ts";
import { undefinedInstruction } from "../../exceptions/generate.ts";
import { TAG_GRANULE_BYTES } from "../../memory.ts";
import { writeMem } from "../../mmu/access.ts";
import {
  readMemTag,
  readMemTagBlock,
  tagAlignmentFault,
  writeMemTagBlock,
  writeMemTags,
} from "../../mmu/tag-access.ts";
import type { Core } from "../../state.ts";
import { NEXT, type Outcome } from "../outcome.ts";

/** LDGM, STGM and STZGM do not exist at EL0. */
const undefinedAtEl0 = (core: Core): Exception | undefined =>
  core.pstate.EL === 0 ? undefinedInstruction(core) : undefined;

/** Zeroes are data whose tags are about to be set, and are not checked. */
const zeroes = {
  unprivileged: false,
  ordered: false,
  atomic: false,
  alignBytes: TAG_GRANULE_BYTES,
  tagChecked: false,
  syndrome: 0,
};

/**
 * STZGM: the block of DCZID_EL0, zeroed and tagged granule by granule. Source: DDI0487 C6.2 STZGM.
 */
function zeroBlock(core: Core, address: bigint, tag: number): Fault | undefined {
  const sizeBytes = 4n << (core.sysreg.DCZID_EL0 & 15n);
  const start = address - (address % sizeBytes);
  const granules = Number(sizeBytes) / TAG_GRANULE_BYTES;
  const fault = writeMemTags(core, start, granules, () => tag);
  if (fault !== undefined) return fault;
  for (let at = start; at < start + sizeBytes; at += BigInt(TAG_GRANULE_BYTES)) {
    const failed = writeMem(core, at, TAG_GRANULE_BYTES, 0n, zeroes);
    if (failed !== undefined) return failed;
  }
  return undefined;
}

export const memoryTagFunctions = {
  /** The address, if it is a multiple of 16. */
  TagAlignedAddress: (core: Core, va: bigint): bigint | Fault =>
    tagAlignmentFault(core, va, true) ?? va,
  ReadMemTag: readMemTag,
  WriteMemTag: (core: Core, va: bigint, granules: number, tag: number): Outcome =>
    writeMemTags(core, va, granules, () => tag) ?? NEXT,
  ReadMemTags: (core: Core, va: bigint): bigint | Exception =>
    undefinedAtEl0(core) ?? readMemTagBlock(core, va),
  WriteMemTags: (core: Core, va: bigint, tags: bigint): Outcome =>
    undefinedAtEl0(core) ?? writeMemTagBlock(core, va, tags) ?? NEXT,
  ZeroMemoryAndWriteTags: (core: Core, va: bigint, tag: number): Outcome =>
    undefinedAtEl0(core) ?? zeroBlock(core, va, tag) ?? NEXT,
};
