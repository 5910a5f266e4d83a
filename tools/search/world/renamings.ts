// Which names of a small world mean nothing: its modules with their pages, its free pages, its VMs.

import { orders } from "../exhaustive/orders.ts";
import type { Renaming } from "../exhaustive/searched.ts";
import type { World } from "./world.ts";

/** Atoms for atoms. */
type Atoms = ReadonlyMap<unknown, unknown>;

/** Replaces atoms all the way down, map keys and the names of a list with commas included. */
function replaced(value: unknown, atoms: Atoms): unknown {
  if (atoms.has(value)) return atoms.get(value);
  if (typeof value === "string" && value.includes(",")) {
    return value
      .split(",")
      .map((name) => atoms.get(name) ?? name)
      .join();
  }
  if (typeof value !== "object" || value === null) return value;
  if (Array.isArray(value)) return value.map((item) => replaced(item, atoms));
  if (value instanceof Set) return new Set([...value].map((item) => replaced(item, atoms)));
  if (value instanceof Map) {
    return new Map([...value].map(([key, item]) => [replaced(key, atoms), replaced(item, atoms)]));
  }
  return Object.fromEntries(
    Object.entries(value).map(([key, item]) => [key, replaced(item, atoms)]),
  );
}

const pairs = <T>(from: readonly T[], to: readonly T[]): [T, T][] =>
  from.map((item, n) => [item, to[n] as T]);

/** Parts in which a number may be the name of a VM; in others a small number is just a number. */
const VM_PARTS: readonly string[] = ["vms"];

/**
 * All renamings but the one that changes nothing. A module takes its page and its place in the
 * module area with it.
 */
export function renamingsOf({ modules, pages, size }: World): readonly Renaming[] {
  const numbers = Array.from({ length: modules.length }, (_, n) => n);
  const free = pages.slice(modules.length);
  const vms = Array.from({ length: size.vms }, (_, vm) => vm);
  const renamings = orders(numbers).flatMap((order) =>
    orders(free).flatMap((freeOrder) =>
      orders(vms).map((vmOrder): Renaming => {
        const atoms: Atoms = new Map<unknown, unknown>([
          ...order.flatMap((to, from): [unknown, unknown][] => {
            const [a, b] = [modules[from], modules[to]];
            const [left, right] = [a?.sections[0], b?.sections[0]];
            return [
              [a?.name, b?.name],
              [left?.kernVa, right?.kernVa],
              [pages[from], pages[to]],
            ];
          }),
          ...pairs<unknown>(free, freeOrder),
        ]);
        const numbered: Atoms = new Map(pairs<unknown>(vms, vmOrder));
        const renamed = (part: string, value: unknown): unknown => {
          if (!VM_PARTS.includes(part) || !(value instanceof Map)) return replaced(value, atoms);
          return new Map(
            [...value].map(([vm, state]) => [numbered.get(vm) ?? vm, replaced(state, atoms)]),
          );
        };
        return { from: (part) => part, renamed };
      }),
    ),
  );
  return renamings.slice(1);
}
