// Memory accesses of instructions: the checks in their order, then the read or the write.

import type { AccessDescriptor } from "../bits/access-descriptor.ts";
import { dataAbort } from "../exceptions/abort.ts";
import type { Fault } from "../exceptions/exception.ts";
import {
  type AccessSize,
  deviceAt,
  PAGE_BYTES,
  pageForRead,
  pageForWrite,
  readPage,
  readPhysical,
  writePage,
  writePhysical,
} from "../memory.ts";
import type { Core } from "../state.ts";
import { type FaultRecord, stage1Fault } from "./fault-record.ts";
import { isDevice, isTagged } from "./memory-attributes.ts";
import {
  liveContext,
  READ,
  remember,
  slotOf,
  splitAddress,
  UNALIGNED,
  WRITE,
} from "./micro-tlb.ts";
import { clearMonitorsOfOthers } from "./monitors.ts";
import { controlsOf, type Stage1Controls, stage1Of } from "./regime.ts";
import { checkTag } from "./tags.ts";
import { type Translation, translate, unprivilegedEl } from "./translate.ts";

/** Reads memory as the current Exception level, or says which exception to take. */
export function readMem(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): bigint | Fault {
  const { vpn, offset } = splitAddress(va);
  const context = liveContext(core);
  const slot = slotOf(vpn, READ);
  if (
    context.vpns[slot] === vpn &&
    offset + sizeBytes <= PAGE_BYTES &&
    !access.unprivileged &&
    (isAligned(offset, access) || (context.flags[slot] === UNALIGNED && isPlain(access)))
  ) {
    const page = pageForRead(core.memory, context.frames[slot]!);
    if (page !== undefined) return readPage(page, offset, sizeBytes);
  }
  return readChecked(core, va, sizeBytes, access);
}

/** Writes memory as the current Exception level; nothing is written when it faults. */
export function writeMem(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  value: bigint,
  access: AccessDescriptor,
): Fault | undefined {
  const { vpn, offset } = splitAddress(va);
  const context = liveContext(core);
  const slot = slotOf(vpn, WRITE);
  if (
    context.vpns[slot] === vpn &&
    offset + sizeBytes <= PAGE_BYTES &&
    !access.unprivileged &&
    (isAligned(offset, access) || (context.flags[slot] === UNALIGNED && isPlain(access)))
  ) {
    const frame = context.frames[slot]!;
    const page = pageForWrite(core.memory, frame);
    if (page !== undefined) {
      writePage(page, offset, sizeBytes, value);
      if (core.memory.cores.length > 1) {
        clearMonitorsOfOthers(core, frame * PAGE_BYTES + offset, sizeBytes);
      }
      return undefined;
    }
  }
  return writeChecked(core, va, sizeBytes, value, access);
}

/** The fault that a write would meet, without writing. */
export function probeWrite(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): Fault | undefined {
  const parts = locate(core, va, sizeBytes, true, access);
  return "type" in parts ? parts : undefined;
}

function isAligned(offset: number, access: AccessDescriptor): boolean {
  return (offset & (access.alignBytes - 1)) === 0;
}

/** No more than a load or a store. */
function isPlain(access: AccessDescriptor): boolean {
  return !access.atomic && !access.ordered;
}

/** The part of an access that is within one page, and where it is. */
export interface Part {
  readonly pa: number;
  readonly sizeBytes: number;
  readonly translation: Translation;
}

function readChecked(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  access: AccessDescriptor,
): bigint | Fault {
  const parts = locate(core, va, sizeBytes, false, access);
  if ("type" in parts) return parts;
  const whole = parts.length === 1;
  const value = whole
    ? readPhysical(core.memory, BigInt(parts[0]!.pa), sizeBytes)
    : readParts(core, parts);
  if (value === undefined) return abort(core, va, stage1Fault("externalAbort", 0), false, access);
  const controls = stage1Of(controlsOf(core), core.pstate.EL);
  if (whole && !access.unprivileged && isFast(core, controls, parts[0]!.translation)) {
    remember(core, READ, va, parts[0]!.pa, alignmentFlag(controls, parts[0]!.translation));
  }
  return inDataOrder(core, controls, value, sizeBytes, access);
}

function readParts(core: Core, parts: readonly Part[]): bigint | undefined {
  let value = 0n;
  let bits = 0n;
  for (const part of parts) {
    for (let index = 0; index < part.sizeBytes; index++) {
      const byte = readPhysical(core.memory, BigInt(part.pa + index), 1);
      if (byte === undefined) return undefined;
      value |= byte << bits;
      bits += 8n;
    }
  }
  return value;
}

function writeChecked(
  core: Core,
  va: bigint,
  sizeBytes: AccessSize,
  value: bigint,
  access: AccessDescriptor,
): Fault | undefined {
  const parts = locate(core, va, sizeBytes, true, access);
  if ("type" in parts) return parts;
  const controls = stage1Of(controlsOf(core), core.pstate.EL);
  const stored = inDataOrder(core, controls, value, sizeBytes, access);
  for (const part of parts) clearMonitorsOfOthers(core, part.pa, part.sizeBytes);
  if (parts.length > 1) {
    writeParts(core, parts, stored);
    return undefined;
  }
  const { pa, translation } = parts[0]!;
  if (!writePhysical(core.memory, BigInt(pa), sizeBytes, stored)) {
    return abort(core, va, stage1Fault("externalAbort", 0), true, access);
  }
  if (!access.unprivileged && isFast(core, controls, translation)) {
    remember(core, WRITE, va, pa, alignmentFlag(controls, translation));
  }
  return undefined;
}

function writeParts(core: Core, parts: readonly Part[], value: bigint): void {
  let rest = value;
  for (const part of parts) {
    for (let index = 0; index < part.sizeBytes; index++) {
      writePhysical(core.memory, BigInt(part.pa + index), 1, rest & 0xffn);
      rest >>= 8n;
    }
  }
}

/** Everything that can fail before memory is touched, in order; then where the access goes. */
export function locate(
  core: Core,
  va: bigint,
  sizeBytes: number,
  write: boolean,
  access: AccessDescriptor,
): readonly Part[] | Fault {
  const offset = Number(va & 0xfffn);
  const controls = stage1Of(controlsOf(core), core.pstate.EL);
  if (failsAlignment(core, controls, offset, sizeBytes, access)) {
    return abort(core, va, stage1Fault("alignment", 0), write, access);
  }
  const aligned = isAligned(offset, access);
  const inFirst = Math.min(sizeBytes, PAGE_BYTES - offset);
  const first = locatePart(core, va, inFirst, write, access, aligned);
  if ("type" in first) return first;
  if (inFirst === sizeBytes) return [first];
  const next = BigInt.asUintN(64, va + BigInt(inFirst));
  const second = locatePart(core, next, sizeBytes - inFirst, write, access, aligned);
  return "type" in second ? second : [first, second];
}

/**
 * Alignment that is checked whatever the memory is: everything under SCTLR_ELx.A; exclusives,
 * atomics and ordered accesses, which FEAT_LSE2 allows within 16 bytes, and SCTLR_ELx.nAA lets
 * ordered ones go anywhere. Source: DDI0487 B2.8.2 Alignment of data accesses.
 */
function failsAlignment(
  core: Core,
  controls: Stage1Controls,
  offset: number,
  sizeBytes: number,
  access: AccessDescriptor,
): boolean {
  if (isAligned(offset, access)) return false;
  if (controls.alignmentCheck) return true;
  if (isPlain(access)) return false;
  if (!core.cpuModel.features.LSE2) return true;
  if ((offset & 15) + sizeBytes <= 16) return false;
  return access.atomic || !controls.nAA;
}

function locatePart(
  core: Core,
  va: bigint,
  sizeBytes: number,
  write: boolean,
  access: AccessDescriptor,
  aligned: boolean,
): Part | Fault {
  const el = access.unprivileged ? unprivilegedEl(core) : core.pstate.EL;
  const translation = translate(core, {
    va,
    kind: write ? "write" : "read",
    write,
    el,
    pan: core.pstate.PAN === 1 && el !== 0,
    aligned,
  });
  if ("fault" in translation) return abort(core, va, translation, write, access);
  const { pa, attributes } = translation;
  if (access.tagChecked && isTagged(attributes)) {
    const failed = checkTag(core, va, pa, sizeBytes, el);
    if (failed !== undefined) {
      return abort(core, failed, stage1Fault("tagCheck", 0), write, access);
    }
  }
  const frame = Math.floor(pa / PAGE_BYTES);
  if (pageForRead(core.memory, frame) === undefined && !deviceAt(core.memory, BigInt(pa))) {
    return abort(core, va, stage1Fault("externalAbort", 0), write, access);
  }
  return { pa, sizeBytes, translation };
}

function abort(
  core: Core,
  va: bigint,
  record: FaultRecord,
  write: boolean,
  access: AccessDescriptor,
): Fault {
  const { syndrome } = access;
  return dataAbort(core, va, record, { write, maintenance: false, syndrome });
}

/** Nothing remains to be checked or converted on the next access to the page. */
function isFast(core: Core, controls: Stage1Controls, translation: Translation): boolean {
  return !isTagged(translation.attributes) && !isBigEndian(core, controls);
}

function alignmentFlag(controls: Stage1Controls, translation: Translation): number {
  return controls.alignmentCheck || isDevice(translation.attributes) ? 0 : UNALIGNED;
}

/** SCTLR_ELx.EE, or E0E for EL0. Source: DDI0487 BigEndian. */
function isBigEndian(core: Core, controls: Stage1Controls): boolean {
  return core.pstate.EL === 0 ? controls.bigEndianEl0 : controls.bigEndian;
}

/** Bytes of each element in the order of SCTLR_ELx.EE. */
function inDataOrder(
  core: Core,
  controls: Stage1Controls,
  value: bigint,
  sizeBytes: number,
  access: AccessDescriptor,
): bigint {
  if (!isBigEndian(core, controls)) return value;
  const element = access.elementBytes ?? Math.min(access.alignBytes, 8);
  let result = 0n;
  for (let index = 0; index < sizeBytes; index++) {
    const swapped = index - (index % element) + (element - 1 - (index % element));
    result |= ((value >> BigInt(8 * index)) & 0xffn) << BigInt(8 * swapped);
  }
  return result;
}
