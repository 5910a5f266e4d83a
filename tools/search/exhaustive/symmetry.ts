// States that differ only in names are one state: the least of its renamings stands for all.

import type { Explorer } from "./explorer.ts";
import { idOf, type PartTable } from "./parts.ts";
import type { Renaming } from "./searched.ts";

/** Replaces a row by the one that stands for it and all its renamings; whether it is another. */
export type Canonical = (row: Uint32Array) => boolean;

/** One part of a renamed row: which part it is taken from, and the number that it gets. */
interface RenamedPart {
  readonly from: number;
  /** The number of a value with other names, worked out when it is first asked for. */
  readonly idFor: (id: number) => number;
}

function renamedPart(
  tables: readonly PartTable[],
  part: number,
  { from: fromPart, renamed }: Renaming,
): RenamedPart {
  const table = tables[part] as PartTable;
  const name = fromPart(table.name);
  const from = tables.findIndex((other) => other.name === name);
  const source = tables[from] as PartTable;
  const known: number[] = [];
  const idFor = (id: number): number => {
    const before = known[id];
    if (before !== undefined) return before;
    const after = idOf(table, renamed(table.name, source.values[id]));
    known[id] = after;
    return after;
  };
  return { from, idFor };
}

/** Whether one value comes before another: by what they are, not by when they were seen. */
function comesBefore({ hashes, texts }: PartTable, a: number, b: number): boolean {
  const [left, right] = [hashes[a] as number, hashes[b] as number];
  return left === right ? (texts[a] as string) < (texts[b] as string) : left < right;
}

/** Chooses among a row and its renamings. */
export function canonicalIn<S extends object, A, L>({
  tables,
  searched,
}: Explorer<S, A, L>): Canonical {
  const renamings = searched.renamings.map((renaming) =>
    tables.map((_, part) => renamedPart(tables, part, renaming)),
  );
  const width = tables.length;
  const best = new Uint32Array(width);

  const idAt = (row: Uint32Array, renamed: readonly RenamedPart[], part: number): number => {
    const { from, idFor } = renamed[part] as RenamedPart;
    return idFor(row[from] as number);
  };

  /** Whether the renamed row comes before the best one; copies it there if so. */
  function improves(row: Uint32Array, renamed: readonly RenamedPart[]): boolean {
    for (let part = 0; part < width; part += 1) {
      const id = idAt(row, renamed, part);
      const held = best[part] as number;
      if (id === held) continue;
      if (!comesBefore(tables[part] as PartTable, id, held)) return false;
      for (let rest = part; rest < width; rest += 1) best[rest] = idAt(row, renamed, rest);
      return true;
    }
    return false;
  }

  return (row) => {
    best.set(row);
    let isAnother = false;
    for (const renamed of renamings) isAnother = improves(row, renamed) || isAnother;
    if (isAnother) row.set(best);
    return isAnother;
  };
}
