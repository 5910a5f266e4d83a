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
  normalWriteBack,
  normalWriteThrough,
  stage2Attributes,
} from "./memory-attributes.ts";
import {
  type Controls,
  controlsOf,
  rangeOf,
  type Stage1Controls,
  type Stage2Controls,
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
  readonly leaf: Stage1Leaf | undefined;
}

/**
 * Translates one access. The order of the faults is the architecture's: all of stage 1 (walk,
 * alignment by memory type, permission), then all of stage 2 in the same order.
 * Source: DDI0487 D8.15.6 Prioritization of synchronous aborts; AArch64.TranslateAddress.
 */
export function translate(core: Core, request: Request): Translation | FaultRecord {
  const controls = controlsOf(core);
  const stage1 = stage1Of(controls, request.el);
  const stage2 = stage2Of(controls, stage1.regime);
  if (!stage1.enabled) return translateFlat(core, stage1, stage2, request);
  const range = rangeOf(stage1, request.va);
  const outside = checkRange(range, request);
  if (outside !== undefined) return outside;
  const walk = walkOf(controls, stage1, stage2, request);
  const kept = cachedLeaf(core.tlb, walk.context, walk.tlbInput);
  const leaf = kept?.stage1 ?? walkStage1(core, walk);
  if ("fault" in leaf) return leaf;
  const result = { ipa: outputOf(leaf, walk.input), attributes: leaf.attributes, leaf };
  const failed =
    checkAlignment(result.attributes, request) ?? checkStage1Permission(stage1, leaf, request);
  if (failed !== undefined) return failed;
  const updated = updateStage1(core, stage2, leaf, request.write);
  if (updated !== undefined) return updated;
  const stage2Leaf =
    stage2 === undefined
      ? undefined
      : (kept?.stage2 ?? walkStage2(core, stage2, result.ipa, false));
  if (stage2Leaf !== undefined && "fault" in stage2Leaf) return stage2Leaf;
  if (kept === undefined) remember(core, walk, leaf, stage2Leaf);
  return throughStage2(core, stage2, stage2Leaf, result, request);
}

function walkOf(
  controls: Controls,
  stage1: Stage1Controls,
  stage2: Stage2Controls | undefined,
  request: Request,
): Stage1Walk {
  const { regime, asid } = stage1;
  const range = rangeOf(stage1, request.va);
  const input = Number(BigInt.asUintN(48, request.va));
  return {
    stage1,
    range,
    stage2,
    context: { regime, asid, vmid: regime === "EL1&0" ? controls.vmid : 0 },
    input,
    tlbInput: tlbInput(input, range === stage1.upper),
  };
}

/** The number under which the TLB knows an address: its 48 bits, marked for the upper range. */
export function tlbInput(input: number, upper: boolean): number {
  return upper ? input + 2 ** 50 : input;
}

function remember(
  core: Core,
  walk: Stage1Walk,
  stage1: Stage1Leaf,
  stage2: Stage2Leaf | undefined,
) {
  // An entry that hardware still has to update is not complete.
  if (stage1.update !== undefined || stage2?.update !== undefined) return;
  rememberLeaf(core.tlb, {
    ...walk.context,
    input: walk.tlbInput,
    sizeBits: Math.min(stage1.sizeBits, stage2?.sizeBits ?? 64),
    stage1,
    stage2,
  });
}

/**
 * Stage 1 is off: the address is the output, if it is not too large, and data are Device.
 * Source: DDI0487 D8.2.9 Behavior when stage 1 is disabled; AArch64.S1DisabledOutput.
 */
function translateFlat(
  core: Core,
  stage1: Stage1Controls,
  stage2: Stage2Controls | undefined,
  request: Request,
): Translation | FaultRecord {
  const range = rangeOf(stage1, request.va);
  const tbi = request.kind === "fetch" ? range.tbiInstruction : range.tbiData;
  const address = BigInt.asUintN(tbi ? 56 : 64, request.va);
  if (address >> BigInt(core.cpuModel.paBits) !== 0n) return stage1Fault("addressSize", 0);
  const attributes = flatAttributes(stage1, request);
  const failed = checkAlignment(attributes, request);
  if (failed !== undefined) return failed;
  const result = { ipa: Number(address), attributes, leaf: undefined };
  const leaf = stage2 === undefined ? undefined : walkStage2(core, stage2, result.ipa, false);
  if (leaf !== undefined && "fault" in leaf) return leaf;
  return throughStage2(core, stage2, leaf, result, request);
}

function flatAttributes(stage1: Stage1Controls, request: Request): MemoryAttributes {
  if (stage1.defaultCacheable) return normalWriteBack;
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
  stage2: Stage2Controls | undefined,
  leaf: Stage2Leaf | undefined,
  { ipa, attributes, leaf: stage1Leaf }: Stage1Result,
  request: Request,
): Translation | FaultRecord {
  const guarded = stage1Leaf?.guarded ?? false;
  if (stage2 === undefined || leaf === undefined) return { pa: ipa, attributes, guarded };
  const combined = stage2.forcedWriteBack
    ? combineAttributesForced(attributes, leaf.memAttr, leaf.sh)
    : combineAttributes(attributes, stage2Attributes(leaf.memAttr, leaf.sh));
  if (faultsUnaligned(combined, request)) return stage2Fault("alignment", 0, ipa, false);
  const denied = checkStage2Permission(leaf, request, ipa);
  if (denied !== undefined) return denied;
  updateStage2(core, leaf, request.write);
  return { pa: outputOf(leaf, ipa), attributes: combined, guarded };
}

/** The level whose permissions an unprivileged load or store has: EL0, where EL0 is below it. */
export function unprivilegedEl(core: Core): El {
  const { EL, UAO } = core.pstate;
  const controls = controlsOf(core);
  if (UAO === 1) return EL;
  if (EL === 1) return 0;
  return EL === 2 && controls.e2h && controls.tge ? 0 : EL;
}
