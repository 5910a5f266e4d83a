// DC and IC by address: there are no caches to maintain, but their addresses are translated, and
// DC ZVA and its kin write.

import { dataAbort } from "../exceptions/abort.ts";
import type { Fault } from "../exceptions/exception.ts";
import { pageForRead, TAG_GRANULE_BYTES, writeBytes, writeTag } from "../memory.ts";
import type { Core } from "../state.ts";
import { stage1Fault } from "./fault-record.ts";
import { isTagged } from "./memory-attributes.ts";
import { clearMonitorsOfOthers } from "./monitors.ts";
import { checkTag, logicalTag, tagAccessEnabled } from "./tags.ts";
import { type Translation, translate } from "./translate.ts";

/**
 * DC CVAC and the like, IC IVAU: the address is translated, and may fault. `loses` is DC IVAC,
 * which may lose data and so needs permission to write.
 * Source: DDI0487 D7.5.9 Cache maintenance instructions, permissions; AArch64.DC, AArch64.IC.
 */
export function maintainCache(core: Core, va: bigint, loses: boolean): Fault | undefined {
  const { EL } = core.pstate;
  const request = { va, kind: "cache", write: loses, el: EL, pan: false, aligned: true } as const;
  const translation = translate(core, request);
  if (!("fault" in translation)) return undefined;
  return dataAbort(core, va, translation, { write: loses, maintenance: true, syndrome: 0 });
}

/** Bytes that DC ZVA, DC GVA, DC GZVA and STZGM cover. Source: DDI0487 D24.2.35 DCZID_EL0. */
export function zeroBlockBytes(core: Core): number {
  return 4 << Number(core.sysreg.DCZID_EL0 & 15n);
}

/** What is written to a block: zeros, allocation tags, or both. */
export interface BlockWrite {
  readonly zero: boolean;
  /** The tag of all granules; undefined leaves tags alone. */
  readonly tag: number | undefined;
  /** Data are checked against their tags: where tags are not set at the same time. */
  readonly tagChecked: boolean;
}

/** DC ZVA zeroes; DC GVA sets tags; DC GZVA does both. The tag is that of the address. */
export function blockWriteOf(name: "ZVA" | "GVA" | "GZVA", va: bigint): BlockWrite {
  return {
    zero: name !== "GVA",
    tag: name === "ZVA" ? undefined : logicalTag(va),
    tagChecked: name === "ZVA",
  };
}

/**
 * Writes the block that holds `va`. It is checked as one write that is not aligned, so that Device
 * memory faults; the fault is reported at `va`.
 * Source: DDI0487 C5.3.10 DC ZVA, C5.3.19 DC GVA, C5.3.20 DC GZVA; AArch64.MemZero.
 */
export function writeBlock(core: Core, va: bigint, block: BlockWrite): Fault | undefined {
  const translation = locateBlock(core, va);
  if ("type" in translation) return translation;
  const size = zeroBlockBytes(core);
  const { EL } = core.pstate;
  const start = translation.pa - (translation.pa % size);
  if (block.tagChecked && isTagged(translation.attributes)) {
    const first = va & ~BigInt(size - 1);
    const failed = checkTag(core, first, start, size, EL);
    if (failed !== undefined) return abort(core, failed, "tagCheck");
  }
  if (block.zero) {
    clearMonitorsOfOthers(core, start, size);
    writeBytes(core.memory, BigInt(start), new Uint8Array(size));
  }
  const tags = tagAccessEnabled(core, EL) && isTagged(translation.attributes);
  if (block.tag !== undefined && tags) {
    for (let at = start; at < start + size; at += TAG_GRANULE_BYTES) {
      writeTag(core.memory, BigInt(at), block.tag);
    }
  }
  return undefined;
}

function locateBlock(core: Core, va: bigint): Translation | Fault {
  const { EL, PAN } = core.pstate;
  const translation = translate(core, {
    va,
    kind: "write",
    write: true,
    el: EL,
    pan: PAN === 1,
    aligned: false,
  });
  if ("fault" in translation) {
    return dataAbort(core, va, translation, { write: true, maintenance: false, syndrome: 0 });
  }
  // Devices have no blocks.
  const page = pageForRead(core.memory, Math.floor(translation.pa / 4096));
  return page === undefined ? abort(core, va, "externalAbort") : translation;
}

function abort(core: Core, va: bigint, fault: "tagCheck" | "externalAbort"): Fault {
  const access = { write: true, maintenance: false, syndrome: 0 };
  return dataAbort(core, va, stage1Fault(fault, 0), access);
}
