// The whole translation of one access: stage 1, stage 2, and the order in which they may fail.

import type { Core, El } from "../state.ts";
import { type FaultRecord, stage1Fault, stage2Fault } from "./fault-record.ts";
import {
  combineAttributes,
  combineAttributesForced,
  deviceNGnRnE,
  isDevice,
  type MemoryAttributes,
  normalNonCacheable,
  normalTagged,
  normalWriteBack,
  normalWriteThrough,
  stage2Attributes,
} from "./memory-attributes.ts";
import {
  type Controls,
  controlsOf,
  rangeOf,
  type Stage1Controls,
  stage1Of,
  stage2Of,
} from "./regime.ts";
import type { Request } from "./request.ts";
import {
  checkRange,
  checkStage1Permission,
  type Stage1Leaf,
  type Stage1Walk,
  updateStage1,
  walkStage1,
} from "./stage1.ts";
import {
  checkStage2Permission,
  outputOf,
  type Stage2Leaf,
  updateStage2,
  walkStage2,
} from "./stage2.ts";
import { cachedLeaf, rememberLeaf } from "./tlb.ts";

/** Where an access goes. */
export interface Translation {
  readonly pa: number;
  readonly attributes: MemoryAttributes;
  /** The page is guarded: FEAT_BTI. */
  readonly guarded: boolean;
}

/** What stage 1 gives: an intermediate physical address, or a physical one where it is alone. */
interface Stage1Result {
  readonly ipa: number;
  readonly attributes: MemoryAttributes;
  /** Undefined while stage 1 is off. */
  readonly leaf: Stage1Leaf | undefined;
  /** The stage 2 half of a translation that the TLB has kept. */
  readonly keptStage2: Stage2Leaf | undefined;
  /** A walk whose result the TLB has yet to keep. */
  readonly fresh: Stage1Walk | undefined;
}

/**
 * Translates one access. The order of the faults is the architecture's: all of stage 1 (walk,
 * alignment by memory type, permission), then all of stage 2 in the same order.
 * Source: DDI0487 D8.15.6 Prioritization of synchronous aborts; AArch64.TranslateAddress.
 */
export function translate(core: Core, request: Request): Translation | FaultRecord {
  const result = throughStage1(core, request);
  return "fault" in result ? result : throughStage2(core, result, request);
}

/** Stage 1 alone, whose tables may be behind stage 2; for the AT instructions that ask for it. */
export function translateStage1Only(core: Core, request: Request): Translation | FaultRecord {
  const result = throughStage1(core, request);
  if ("fault" in result) return result;
  return { pa: result.ipa, attributes: result.attributes, guarded: result.leaf?.guarded ?? false };
}

function throughStage1(core: Core, request: Request): Stage1Result | FaultRecord {
  const controls = controlsOf(core);
  const stage1 = stage1Of(controls, request.el);
  if (!stage1.enabled) return flat(core, stage1, request);
  const outside = checkRange(rangeOf(stage1, request.va), request);
  if (outside !== undefined) return outside;
  const walk = walkOf(controls, stage1, request);
  const kept = cachedLeaf(core.tlb, walk.context, walk.tlbInput);
  const leaf = kept?.stage1 ?? walkStage1(core, walk);
  if ("fault" in leaf) return leaf;
  const { attributes } = leaf;
  const failed =
    checkAlignment(attributes, request) ?? checkStage1Permission(stage1, leaf, request);
  if (failed !== undefined) return failed;
  const update = updateStage1(core, walk.stage2, leaf, makesDirty(request));
  if (update !== undefined) return update;
  return {
    ipa: outputOf(leaf, walk.input),
    attributes,
    leaf,
    keptStage2: kept?.stage2,
    fresh: kept === undefined ? walk : undefined,
  };
}

/**
 * Every translation sets the access flag, where hardware does that; only a write makes a page
 * dirty, and AT and maintenance write nothing. Source: AArch64.CheckAndUpdateDescriptor.
 */
function makesDirty(request: Request): boolean {
  return request.kind === "write";
}

function walkOf(controls: Controls, stage1: Stage1Controls, request: Request): Stage1Walk {
  const { regime, asid } = stage1;
  const range = rangeOf(stage1, request.va);
  const input = Number(BigInt.asUintN(48, request.va));
  return {
    stage1,
    range,
    stage2: stage2Of(controls, regime),
    context: { regime, asid, vmid: regime === "EL1&0" ? controls.vmid : 0 },
    input,
    tlbInput: tlbInput(input, range === stage1.upper),
  };
}

/** The number under which the TLB knows an address: its 48 bits, marked for the upper range. */
export function tlbInput(input: number, upper: boolean): number {
  return upper ? input + 2 ** 50 : input;
}

/**
 * Stage 1 is off: the address is the output, if it is not too large, and data are Device.
 * Source: DDI0487 D8.2.9 Behavior when stage 1 is disabled; AArch64.S1DisabledOutput.
 */
function flat(core: Core, stage1: Stage1Controls, request: Request): Stage1Result | FaultRecord {
  const range = rangeOf(stage1, request.va);
  const tbi = request.kind === "fetch" ? range.tbiInstruction : range.tbiData;
  const address = BigInt.asUintN(tbi ? 56 : 64, request.va);
  if (address >> BigInt(core.cpuModel.paBits) !== 0n) return stage1Fault("addressSize", 0);
  const attributes = flatAttributes(stage1, request);
  const failed = checkAlignment(attributes, request);
  if (failed !== undefined) return failed;
  return {
    ipa: Number(address),
    attributes,
    leaf: undefined,
    keptStage2: undefined,
    fresh: undefined,
  };
}

function flatAttributes(stage1: Stage1Controls, request: Request): MemoryAttributes {
  if (stage1.defaultCacheable) return stage1.defaultTagged ? normalTagged : normalWriteBack;
  if (request.kind !== "fetch") return deviceNGnRnE;
  return stage1.instructionCache ? normalWriteThrough : normalNonCacheable;
}

/** An unaligned access to Device memory faults, before its permissions are looked at. */
function checkAlignment(attributes: MemoryAttributes, request: Request): FaultRecord | undefined {
  return faultsUnaligned(attributes, request) ? stage1Fault("alignment", 0) : undefined;
}

function faultsUnaligned(attributes: MemoryAttributes, request: Request): boolean {
  const isData = request.kind === "read" || request.kind === "write";
  return isData && !request.aligned && isDevice(attributes);
}

function throughStage2(
  core: Core,
  result: Stage1Result,
  request: Request,
): Translation | FaultRecord {
  const controls = controlsOf(core);
  const stage2 = stage2Of(controls, stage1Of(controls, request.el).regime);
  const { ipa, attributes, fresh } = result;
  const guarded = result.leaf?.guarded ?? false;
  if (stage2 === undefined) {
    if (fresh !== undefined) remember(core, fresh, result.leaf, undefined);
    return { pa: ipa, attributes, guarded };
  }
  const leaf = result.keptStage2 ?? walkStage2(core, stage2, ipa, false);
  if ("fault" in leaf) return leaf;
  if (fresh !== undefined) remember(core, fresh, result.leaf, leaf);
  const combined = stage2.forcedWriteBack
    ? combineAttributesForced(attributes, leaf.memAttr, leaf.sh)
    : combineAttributes(attributes, stage2Attributes(leaf.memAttr, leaf.sh));
  if (faultsUnaligned(combined, request)) return stage2Fault("alignment", 0, ipa, false);
  const denied = checkStage2Permission(leaf, request, ipa);
  if (denied !== undefined) return denied;
  updateStage2(core, leaf, makesDirty(request));
  return { pa: outputOf(leaf, ipa), attributes: combined, guarded };
}

/** Keeps a translation, unless hardware still has to update its descriptors. */
function remember(
  core: Core,
  walk: Stage1Walk,
  stage1: Stage1Leaf | undefined,
  stage2: Stage2Leaf | undefined,
): void {
  if (stage1 === undefined) return;
  if (stage1.update !== undefined || stage2?.update !== undefined) return;
  rememberLeaf(core.tlb, {
    ...walk.context,
    input: walk.tlbInput,
    sizeBits: Math.min(stage1.sizeBits, stage2?.sizeBits ?? 64),
    stage1,
    stage2,
  });
}

/** The level whose permissions an unprivileged load or store has: EL0, where EL0 is below it. */
export function unprivilegedEl(core: Core): El {
  const { EL, UAO } = core.pstate;
  const controls = controlsOf(core);
  if (UAO === 1) return EL;
  if (EL === 1) return 0;
  return EL === 2 && controls.e2h && controls.tge ? 0 : EL;
}
