// A search on disk: what it has seen, so that it can be carried on another day.

import { createHash } from "node:crypto";
import { readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { deserialize, serialize } from "node:v8";
import type { SystemConfig } from "../../spec/types/hyp.ts";
import { UsageError } from "../cli/exit.ts";
import { readInput } from "../cli/read-input.ts";
import type { Found, Search } from "./exhaustive/bfs.ts";
import { idOf } from "./exhaustive/parts.ts";
import { addState, createStateSet, moveAt, parentAt, readState } from "./exhaustive/state-set.ts";
import { startWorld, type WorldSearch } from "./find-violation.ts";
import type { Move, WorldSize } from "./world/world.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const FORMAT = 1;
/** The largest search that is read back, in MiB. */
const STORED_MIB_MAX = 1024;

/** What a search was asked for. */
export interface SearchOrder {
  readonly system: SystemConfig;
  readonly size: WorldSize;
  readonly omit: readonly string[];
  readonly useSymmetry: boolean;
}

interface Stored {
  readonly format: typeof FORMAT;
  readonly rules: string;
  readonly order: SearchOrder;
  readonly parts: readonly (readonly unknown[])[];
  readonly moves: readonly Move[];
  readonly rows: Uint32Array;
  readonly parents: Int32Array;
  readonly taken: Int32Array;
  readonly head: number;
  readonly levels: readonly number[];
  readonly transitions: number;
  readonly found: readonly Found[];
}

/** A text for everything that decides what states there are: it changes when the model does. */
function fingerprint(): string {
  const hash = createHash("sha256");
  for (const folder of ["spec", "model", "tools/search"]) {
    const paths = readdirSync(join(ROOT, folder), { recursive: true, encoding: "utf8" })
      .filter((path) => path.endsWith(".ts"))
      .sort();
    for (const path of paths) hash.update(path).update(readFileSync(join(ROOT, folder, path)));
  }
  return hash.digest("hex");
}

/** Writes a search; the file is there whole or not at all. */
export function saveSearch(path: string, search: WorldSearch, order: SearchOrder): void {
  const { explorer, set, head, levels, transitions, found } = search;
  const { size, width } = set;
  const rows = new Uint32Array(size * width);
  const [parents, taken] = [new Int32Array(size), new Int32Array(size)];
  for (let index = 0; index < size; index += 1) {
    readState(set, index, rows.subarray(index * width, (index + 1) * width));
    parents[index] = parentAt(set, index);
    taken[index] = moveAt(set, index);
  }
  const stored: Stored = {
    format: FORMAT,
    rules: fingerprint(),
    order,
    parts: explorer.tables.map(({ values }) => values),
    moves: explorer.moves,
    rows,
    parents,
    taken,
    head,
    levels,
    transitions,
    found: [...found.values()],
  };
  writeFileSync(`${path}.part`, serialize(stored));
  renameSync(`${path}.part`, path);
}

/** Reads a search back; a text is why it cannot be carried on. */
export function loadSearch(
  path: string,
): { readonly search: WorldSearch; readonly order: SearchOrder } | string {
  let stored: Stored;
  try {
    stored = deserialize(readInput(path, STORED_MIB_MAX)) as Stored;
  } catch (thrown) {
    if (thrown instanceof UsageError) throw thrown;
    if (thrown instanceof Error && "code" in thrown && thrown.code === "ENOENT") throw thrown;
    return "no search was stored there";
  }
  if (stored?.format !== FORMAT) return "no search was stored there";
  if (stored.rules !== fingerprint()) return "the model or the rules have changed since";
  const { order, rows, parents, taken } = stored;
  const options = order.omit.length === 0 ? {} : { omit: new Set(order.omit) };
  const fresh = startWorld(order.system, order.size, options, order.useSymmetry);
  const { explorer } = fresh;
  // Numbers of parts and moves are given in the order in which they were.
  for (const [part, values] of stored.parts.entries()) {
    for (const value of values) idOf(explorer.tables[part] as never, value);
  }
  for (const move of stored.moves) explorer.idOfMove(move);
  const set = createStateSet(explorer.tables.length);
  for (let index = 0; index < parents.length; index += 1) {
    const row = rows.subarray(index * set.width, (index + 1) * set.width);
    const [parent = -1, move = -1] = [parents[index], taken[index]];
    addState(set, row, explorer.hashOf(row), parent, move);
  }
  const search: Search<never, never, never> = {
    ...(fresh as never as Search<never, never, never>),
    set,
    head: stored.head,
    levels: [...stored.levels],
    transitions: stored.transitions,
    found: new Map(stored.found.map((found) => [found.rule, found])),
  };
  return { search: search as never as WorldSearch, order };
}
