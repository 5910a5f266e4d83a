// The loop: one instruction with everything that may come before it, or many in one page without.

import type { Gates, Stop } from "../core.ts";
import type { Exception, Unmodelled } from "../exceptions/exception.ts";
import { mayBePending, pendingAfterFetch, pendingBefore } from "../exceptions/priority.ts";
import { takeException } from "../exceptions/take.ts";
import { PAGE_BYTES, type Page, pageForRead } from "../memory.ts";
import { fetchPage, isGuarded } from "../mmu/fetch.ts";
import { FETCH, GUARDED, liveContext, slotOf, splitAddress } from "../mmu/micro-tlb.ts";
import type { Core } from "../state.ts";
import { gateIndex } from "./gate-index.ts";
import { acceptsBranch } from "./landing-pads.ts";
import { decodeAt, decodedPage, operationOf } from "./operations.ts";
import { ENTERED, isDistance, JUMPED, NEXT, type Outcome, SYNCED } from "./outcome.ts";

/** Called before each instruction. */
export type Trace = (core: Core, word: number) => void;

/** How many instructions may still be executed. */
export interface Budget {
  left: number;
}

/** Whether something other than the program counter decides about the next instruction. */
export function needsStep(core: Core): boolean {
  return core.pstate.IL !== 0 || mayBePending(core);
}

/** Executes one instruction, or takes the exception that comes before it. */
export function step(core: Core, budget: Budget, trace: Trace | undefined): Stop | undefined {
  budget.left--;
  const before = pendingBefore(core);
  if (before !== undefined) return enter(core, before);
  const page = fetchPage(core, core.pc);
  if ("type" in page) return enter(core, page);
  const word = page.view.getUint32(offsetOf(core.pc), true);
  const { BTYPE, IL } = core.pstate;
  if (BTYPE !== 0 || IL !== 0) {
    const landingPad = BTYPE === 0 || acceptsBranch(core, word);
    const fetched = pendingAfterFetch(core, isGuarded(core, core.pc), landingPad);
    if (fetched !== undefined) return enter(core, fetched);
  }
  trace?.(core, word);
  return conclude(core, operationOf(core.cpuModel.features, word).execute(core), word);
}

const offsetOf = (pc: bigint): number => Number(pc & 0xfffn);

function enter(core: Core, exception: Exception): undefined {
  takeException(core, exception);
  core.retired++;
}

/** Moves the program counter as the outcome says; `core.pc` is that of the instruction. */
function conclude(core: Core, outcome: Outcome, word: number): Stop | undefined {
  if (typeof outcome === "object") return concludeEarly(core, outcome, word);
  if (isDistance(outcome)) advance(core, outcome);
  else if (outcome === SYNCED) advance(core);
  core.retired++;
  return undefined;
}

/** Goes to the next instruction, or where a direct branch leads; neither sets BTYPE. */
function advance(core: Core, distance = NEXT): void {
  core.pc = BigInt.asUintN(64, core.pc + BigInt(distance));
  core.pstate.BTYPE = 0;
}

function concludeEarly(
  core: Core,
  outcome: Exception | Unmodelled | Stop,
  word: number,
): Stop | undefined {
  if ("kind" in outcome) {
    if (outcome.kind === "wait") advance(core);
    return outcome;
  }
  if (outcome.type === "unmodelled")
    return { kind: "unmodelled", what: outcome.what, word, pc: core.pc };
  return enter(core, outcome);
}

/**
 * Executes instructions for as long as they are in one page and nothing that they do can matter to
 * the fetch. `core.pc` and `core.retired` are brought up to date where somebody looks.
 */
export function runPage(core: Core, budget: Budget, gates: Gates): Stop | undefined {
  const { pstate } = core;
  const { EL } = pstate;
  let offset = offsetOf(core.pc);
  const base = core.pc - BigInt(offset);
  const stops = EL === 0 ? undefined : gateIndex(EL === 2 ? gates.el2 : gates.el1).get(base >> 12n);
  if (stops?.has(offset)) return { kind: "gate", el: EL, address: core.pc };
  const page = fetchPage(core, core.pc);
  if ("type" in page) {
    budget.left--;
    return enter(core, page);
  }
  const decoded = decodedPage(page, core.cpuModel.features);
  const { operations } = decoded;
  const fetched = fetchedFrom(core, page);
  // A branch into a guarded page needs a landing pad.
  if (pstate.BTYPE !== 0 && fetched.guarded) return step(core, budget, undefined);
  // What `retired` will be when `left` is zero.
  const total = core.retired + budget.left;
  let { left } = budget;
  for (;;) {
    const operation = operations[offset >> 2] ?? decodeAt(page, decoded, offset);
    if (operation.needsPC) {
      core.pc = base + BigInt(offset);
      core.retired = total - left;
    }
    const outcome = operation.execute(core);
    left--;
    if (typeof outcome === "number" && isDistance(outcome)) {
      if (pstate.BTYPE !== 0) pstate.BTYPE = 0;
      offset += outcome;
      const inside = left > 0 && (offset & ~OFFSET_MASK) === 0 && !stops?.has(offset);
      if (inside && (!operation.stores || isStill(core, fetched))) continue;
      core.pc = BigInt.asUintN(64, base + BigInt(offset));
    } else if (outcome === JUMPED) {
      const target = core.pc - base;
      const unguarded = pstate.BTYPE === 0 || !fetched.guarded;
      if (left > 0 && target >= 0n && target <= OFFSET_MASK && unguarded) {
        offset = Number(target);
        if ((offset & 3) === 0 && !stops?.has(offset)) continue;
      }
    } else {
      if (outcome !== ENTERED) core.pc = base + BigInt(offset);
      // `conclude` counts this instruction.
      core.retired = total - left - 1;
      budget.left = left;
      return conclude(core, outcome, page.view.getUint32(offset, true));
    }
    core.retired = total - left;
    budget.left = left;
    return undefined;
  }
}

const OFFSET_MASK = PAGE_BYTES - 1;

/** What a page was when it was fetched. */
interface Fetched {
  readonly page: Page;
  readonly frame: number;
  readonly guarded: boolean;
  readonly generation: number;
  readonly tableGeneration: number;
}

function fetchedFrom(core: Core, page: Page): Fetched {
  const { vpn } = splitAddress(core.pc);
  const { frames, flags } = liveContext(core);
  const slot = slotOf(vpn, FETCH);
  return {
    page,
    frame: frames[slot] ?? 0,
    guarded: flags[slot] === GUARDED,
    generation: page.generation,
    tableGeneration: core.memory.tableGeneration,
  };
}

/** Whether a store has changed neither the page, nor which page it is, nor any table. */
function isStill(core: Core, { page, frame, generation, tableGeneration }: Fetched): boolean {
  const { memory } = core;
  return (
    page.generation === generation &&
    memory.tableGeneration === tableGeneration &&
    pageForRead(memory, frame) === page
  );
}
