// Which hypercall an HVC reaches, as the clauses read it: lookups in the branch's table.

import type { Branch } from "../branches/branch.ts";
import { branchOf, hostSmcccId, protFinalizeNumber } from "../branches/branches.ts";
import type { Step } from "../clause.ts";
import type { Hvc } from "../types/action.ts";
import { type HypVa, PAGE_SHIFT, type Pfn } from "../types/address.ts";
import type { Hyp } from "../types/hyp.ts";

/** Bit 16 of a function id: the caller has no live SVE state. Source: SMCCC 1.3, section 2.5. */
export const SVE_HINT = 1n << 16n;

const low32 = (value: bigint): bigint => BigInt.asUintN(32, value);

/** The function id that was asked for. */
export const functionId = ({ action }: Step<Hvc>): bigint => action.x[0] ?? 0n;

/** Argument `n` of a hypercall: register xn. */
export const argument = ({ action }: Step<Hvc>, n: number): bigint => action.x[n] ?? 0n;

/** A page frame number in a register: the shift to an address loses the bits above 51. */
export const pfnArgument = (step: Step<Hvc>, n: number): Pfn =>
  Number(BigInt.asUintN(64, argument(step, n) << PAGE_SHIFT) >> PAGE_SHIFT) as Pfn;

/**
 * Whether the SVE hint decides: it is there, and the branch looks for registered ids before it
 * removes it.
 */
export const hintSpoils = (branch: Branch, id: bigint): boolean =>
  (id & SVE_HINT) !== 0n && !branch.hintMaskedBeforeDynamic;

/**
 * The number of the table's entry that an id names in all its 64 bits, the hint apart; 0 is the
 * empty slot.
 */
export function staticNumber(branch: Branch, id: bigint): number | undefined {
  const number = (id & ~SVE_HINT) - hostSmcccId(0);
  return number >= 0n && number < BigInt(branch.hcalls.length) ? Number(number) : undefined;
}

/**
 * The place among registered hypercalls that an id names by its low 32 bits, if they lie at or
 * above the dynamic base.
 * Source: handle_host_dynamic_hcall, hyp/nvhe/modules.c: the difference to the first id is an int.
 */
export function dynamicIndex(branch: Branch, id: bigint): number | undefined {
  if (branch.dynamicBase === undefined) return undefined;
  const asked = branch.hintMaskedBeforeDynamic ? id & ~SVE_HINT : id;
  const above = low32(asked - hostSmcccId(0));
  const isDynamic = above >= BigInt(branch.dynamicBase) && above < 1n << 31n;
  return isDynamic ? Number(above) - branch.dynamicBase : undefined;
}

/** The function registered under the id; `undefined` if there is none there. */
export function registered(step: Step<Hvc>): HypVa | undefined {
  const index = dynamicIndex(branchOf(step.pre.config), functionId(step));
  return index === undefined ? undefined : step.pre.dispatch.dynamicHcalls[index];
}

/** What an HVC reached in the state that it was last looked at in: every clause asks the same. */
const REACHED = new WeakMap<Hvc, { readonly pre: Hyp; readonly name: string | undefined }>();

/** The name of the table's entry that the HVC reaches; none if the dispatcher turns it away. */
export function reachedHcall(step: Step<Hvc>): string | undefined {
  const known = REACHED.get(step.action);
  if (known?.pre === step.pre) return known.name;
  const name = reachedIn(step);
  REACHED.set(step.action, { pre: step.pre, name });
  return name;
}

function reachedIn(step: Step<Hvc>): string | undefined {
  const branch = branchOf(step.pre.config);
  const id = functionId(step);
  const number = staticNumber(branch, id);
  if (!step.pre.boot.hypUp || number === undefined || number === 0) return undefined;
  if (hintSpoils(branch, id)) return undefined;
  if (step.pre.boot.key && number < protFinalizeNumber(branch)) return undefined;
  return branch.hcalls[number];
}

/** The same for any action: what is no HVC reaches nothing. */
export const hcallOf = ({ pre, action, outcome, post }: Step): string | undefined =>
  action.kind === "hvc" ? reachedHcall({ pre, action, outcome, post }) : undefined;

/** Whether the HVC reaches this entry of the table. */
export const calls =
  (name: string) =>
  (step: Step<Hvc>): boolean =>
    reachedHcall(step) === name;

/** The hypercalls that load a module: what the latch is there to shut out. */
export const LOADING_HCALLS: readonly string[] = [
  "__pkvm_alloc_module_va",
  "__pkvm_map_module_page",
  "__pkvm_unmap_module_page",
  "__pkvm_init_module",
  "__pkvm_register_hcall",
];
