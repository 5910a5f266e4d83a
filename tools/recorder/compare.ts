// Where two outcomes of one vector differ, as a list of names and values.

import type { Replayed } from "./replay.ts";
import type { Cell, Outcome, Settings } from "./vector.ts";

/** One difference: what, and the two values. */
export interface Difference {
  /**
   * `x3`, `sp_el1`, `pc`, `pstate`, `exception`, `esr`, a register's name, `memory`, `tag`, `stop`.
   */
  readonly what: string;
  readonly recorded: string;
  readonly ours: string;
}

const hex = (value: bigint | number | undefined): string =>
  value === undefined ? "-" : BigInt(value).toString(16);

/**
 * QEMU clears NZCV and DIT on exceptions, Arm's text leaves them; M, BTYPE and IL cannot be read
 * where the harness stands. Source: DDI0487 AArch64.TakeException.
 */
const PSTATE_COMPARED_AT_EXCEPTION = 0x02c0_13c0;

function add(list: Difference[], what: string, recorded: unknown, ours: unknown): void {
  const text = (value: unknown) =>
    typeof value === "string" ? value : hex(value as bigint | number | undefined);
  if (text(recorded) !== text(ours))
    list.push({ what, recorded: text(recorded), ours: text(ours) });
}

/** All differences between what was recorded and what our core did. */
export function differences(
  recorded: Outcome,
  replayed: Replayed,
  before: (name: string) => bigint,
): Difference[] {
  const list: Difference[] = [];
  if ("stop" in replayed) {
    const { stop } = replayed;
    const what = stop.kind === "unmodelled" ? `unmodelled ${stop.what}` : stop.kind;
    return [{ what: "stop", recorded: describe(recorded), ours: what }];
  }
  const ours = replayed.outcome;
  add(list, "exception", describe(recorded), describe(ours));
  for (const field of ["esr", "elr", "spsr"] as const)
    add(list, field, recorded.exception?.[field], ours.exception?.[field]);
  for (let n = 0; n < 31; n++) add(list, `x${n}`, recorded.x[n], ours.x[n]);
  for (const n of [0, 1, 2]) add(list, `sp_el${n}`, recorded.sp[n], ours.sp[n]);
  add(list, "pc", recorded.pc, ours.pc);
  const mask = recorded.exception === undefined ? -1 : PSTATE_COMPARED_AT_EXCEPTION;
  add(list, "pstate", (recorded.pstate & mask) >>> 0, (ours.pstate & mask) >>> 0);
  compareSettings(list, recorded.settings, ours.settings, before);
  compareCells(list, "memory", recorded.memory, ours.memory);
  compareCells(list, "tag", recorded.tags, ours.tags);
  return list;
}

/** Completed, or the exception's target and vector. */
export function describe({ exception }: Outcome): string {
  if (exception === undefined) return "completed";
  const { target, offset, esr } = exception;
  return `EL${target}+${hex(offset)} EC ${hex(esr >>> 26)}`;
}

function compareSettings(
  list: Difference[],
  recorded: Settings,
  ours: Settings,
  before: (name: string) => bigint,
): void {
  for (const name of new Set([...recorded.keys(), ...ours.keys()]))
    add(list, name, recorded.get(name) ?? before(name), ours.get(name) ?? before(name));
}

function compareCells(
  list: Difference[],
  what: string,
  recorded: readonly Cell[],
  ours: readonly Cell[],
): void {
  const text = (cells: readonly Cell[]) =>
    [...cells]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([address, value]) => `${hex(address)}=${hex(value)}`)
      .join(" ");
  add(list, what, text(recorded), text(ours));
}
