// Reading and writing allocation tags, for LDG, STG and their kin.

import type { AccessDescriptor } from "../bits/access-descriptor.ts";
import { dataAbort } from "../exceptions/abort.ts";
import type { Fault } from "../exceptions/exception.ts";
import { readTag, TAG_GRANULE_BYTES, writeTag } from "../memory.ts";
import type { Core } from "../state.ts";
import { locate } from "./access.ts";
import { stage1Fault } from "./fault-record.ts";
import { isTagged } from "./memory-attributes.ts";
import { tagAccessEnabled } from "./tags.ts";

/** Accesses of tags are not checked against tags, and describe nothing in a syndrome. */
const tagAccess: AccessDescriptor = {
  unprivileged: false,
  ordered: false,
  atomic: false,
  alignBytes: TAG_GRANULE_BYTES,
  tagChecked: false,
  syndrome: 0,
};

/** The fault of an address that STG and its kin need to be a multiple of 16. */
export function tagAlignmentFault(core: Core, va: bigint, write: boolean): Fault | undefined {
  if ((va & 15n) === 0n) return undefined;
  const access = { write, maintenance: false, syndrome: 0 };
  return dataAbort(core, va, stage1Fault("alignment", 0), access);
}

/** Where the tag of a granule is; undefined where the memory has none, or tags are disabled. */
function tagAddress(core: Core, va: bigint, write: boolean): bigint | undefined | Fault {
  const granule = va & ~15n;
  const parts = locate(core, granule, TAG_GRANULE_BYTES, write, tagAccess);
  if ("type" in parts) return parts;
  const { pa, translation } = parts[0]!;
  const enabled = tagAccessEnabled(core, core.pstate.EL) && isTagged(translation.attributes);
  return enabled ? BigInt(pa) : undefined;
}

/**
 * LDG: the tag of the granule at `va`; 0 where there is none. The access is checked like a load.
 * Source: DDI0487 D10.3; AArch64.MemTag read.
 */
export function readMemTag(core: Core, va: bigint): number | Fault {
  const pa = tagAddress(core, va, false);
  if (pa === undefined) return 0;
  return typeof pa === "bigint" ? readTag(core.memory, pa) : pa;
}

/**
 * STG: sets the tags of `granules` granules from `va` on; nothing where there are none. All are
 * checked like stores before the first is written. Source: AArch64.MemTag write.
 */
export function writeMemTags(
  core: Core,
  va: bigint,
  granules: number,
  tagOf: (index: number) => number,
): Fault | undefined {
  const targets: (bigint | undefined)[] = [];
  for (let index = 0; index < granules; index++) {
    const at = BigInt.asUintN(64, va + BigInt(index * TAG_GRANULE_BYTES));
    const pa = tagAddress(core, at, true);
    if (typeof pa === "object") return pa;
    targets.push(pa);
  }
  targets.forEach((pa, index) => {
    if (pa !== undefined) writeTag(core.memory, pa, tagOf(index));
  });
  return undefined;
}

/** Bytes that LDGM and STGM cover: four words shifted by GMID_EL1.BS. */
export function tagBlockBytes(core: Core): number {
  return 4 << Number(core.sysreg.GMID_EL1 & 15n);
}

/** LDGM: the tags of a block, each at the nibble that its address selects. C6.2 LDGM. */
export function readMemTagBlock(core: Core, va: bigint): bigint | Fault {
  const size = BigInt(tagBlockBytes(core));
  const start = va & ~(size - 1n);
  let tags = 0n;
  for (let at = start; at < start + size; at += 16n) {
    const tag = readMemTag(core, at);
    if (typeof tag !== "number") return tag;
    tags |= BigInt(tag) << (((at >> 4n) & 15n) * 4n);
  }
  return tags;
}

/** STGM: the tags of a block out of a register. C6.2 STGM. */
export function writeMemTagBlock(core: Core, va: bigint, tags: bigint): Fault | undefined {
  const size = tagBlockBytes(core);
  const start = va & ~BigInt(size - 1);
  const first = (start >> 4n) & 15n;
  return writeMemTags(core, start, size / TAG_GRANULE_BYTES, (index) =>
    Number((tags >> ((first + BigInt(index)) * 4n)) & 15n),
  );
}
