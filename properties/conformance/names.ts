// How EL2 addresses compare: by the module they lie in, never as numbers.

import { PRIVATE_BASE, PRIVATE_LIMIT } from "../../model/initial.ts";
import type { LogEvent } from "../../model/log.ts";
import { PAGE_SIZE } from "../../spec/types/address.ts";

/** One reservation under the name that the traces give it. */
interface Named {
  readonly name: string;
  readonly base: bigint;
  readonly pages: number;
}

/** The reservations that tokens name, in order: mod(NAME), then mod(NAME#2) for its second load. */
export function reservationNames(log: readonly LogEvent[]): readonly Named[] {
  const loads = new Map<string, number>();
  return log.flatMap((event): Named[] => {
    if (event.kind !== "step" || event.step.action.kind !== "el2_module_reserved") return [];
    const { name, base } = event.step.action;
    const load = (loads.get(name) ?? 0) + 1;
    loads.set(name, load);
    const reservation = event.step.post.el2.reservations.find((one) => one.base === base);
    const label = load === 1 ? `mod(${name})` : `mod(${name}#${load})`;
    return [{ name: label, base, pages: reservation?.pages ?? 0 }];
  });
}

const hex = (value: bigint): string => `0x${value.toString(16)}`;

/**
 * A value as a trace writes it: by name where it is an EL2 address of a module, in hexadecimal
 * elsewhere.
 */
export function nameValue(value: bigint, names: readonly Named[]): string {
  for (const { name, base, pages } of names) {
    if (value < base || value >= base + BigInt(pages) * PAGE_SIZE) continue;
    return value === base ? name : `${name}+${hex(value - base)}`;
  }
  if (value >= PRIVATE_BASE && value < PRIVATE_LIMIT) return `el2priv+${hex(value - PRIVATE_BASE)}`;
  return hex(value);
}
