// One worker of a parallel search: it owns the states whose hash is its own, a level at a time.

import { parentPort, workerData } from "node:worker_threads";
import type { SearchOrder } from "./checkpoint.ts";
import { coverageOf } from "./coverage-of-search.ts";
import { createExplorer, type Entry, partHash } from "./exhaustive/explorer.ts";
import { idOf, mixed, type PartTable } from "./exhaustive/parts.ts";
import {
  addState,
  bytesOf,
  createStateSet,
  hashAt,
  parentAt,
  readState,
} from "./exhaustive/state-set.ts";
import { canonicalIn } from "./exhaustive/symmetry.ts";
import type { Answer, Packet, Question, WorkerFound } from "./parallel.ts";
import { type Label, searchedWorld } from "./world/searched-world.ts";
import { worldOf } from "./world/world.ts";

interface Data {
  readonly order: SearchOrder;
  readonly self: number;
  readonly count: number;
}

const { order, self, count } = workerData as Data;
const options = order.omit.length === 0 ? {} : { omit: new Set(order.omit) };
const explorer = createExplorer(searchedWorld(worldOf(order.system, order.size), options));
const isSymmetric = order.useSymmetry && explorer.searched.renamings.length > 0;
const canonical = isSymmetric ? canonicalIn(explorer) : undefined;
const width = explorer.tables.length;
const set = createStateSet(width);
/**
 * Parts by which states are shared out. Most steps leave them alone, so that most states are found
 * by their own worker.
 */
const HOME: readonly string[] = [
  "boot.protectedModules",
  "boot.requestedNames",
  "modules",
  "el2",
  "dispatch.dynamicHcalls",
  "vmTable",
];
const homeParts = [...explorer.tables.keys()].filter((part) =>
  HOME.includes(explorer.tables[part]?.name ?? ""),
);

/** The worker that a state belongs to: it hangs on values, not on the numbers that they have. */
function ownerOf(row: Uint32Array): number {
  let sum = 0;
  for (const part of homeParts) {
    sum = (sum + partHash(explorer.tables[part] as PartTable, row[part] as number)) | 0;
  }
  return (mixed(sum) >>> 0) % count;
}

/** The states of the level that is expanded next: from one index to another. */
let from = 0;
let to = 0;
let transitions = 0;
const found: WorkerFound[] = [];
const known = new Set<string>();
/** By peer and part: the numbers that it was told of, and what its numbers are here. */
const told = Array.from({ length: count }, () => explorer.tables.map(() => new Set<number>()));
const theirs = Array.from({ length: count }, () => explorer.tables.map((): number[] => []));

function note(rule: string, sentence: string, state: number): void {
  if (known.has(rule)) return;
  known.add(rule);
  found.push({ rule, sentence, state });
}

const noteOffences = (row: Uint32Array, state: number): void => {
  for (const { rule, sentences } of explorer.offences(row)) {
    note(rule, sentences[0] ?? rule, state);
  }
};

/** Rows for the other workers, each once a level. */
interface Outgoing {
  readonly sent: ReturnType<typeof createStateSet>;
}

/** The state after a step, in `next`; its hash. */
function after(row: Uint32Array, entry: Entry<Label>, hash: number, next: Uint32Array): number {
  next.set(row);
  let sum = hash;
  for (let n = 0; n < entry.changed.length; n += 1) {
    const part = entry.changed[n] as number;
    const id = entry.ids[n] as number;
    const table = explorer.tables[part] as PartTable;
    sum = (sum + partHash(table, id) - partHash(table, row[part] as number)) | 0;
    next[part] = id;
  }
  return canonical?.(next) ? explorer.hashOf(next) : sum;
}

/** All steps from one state. */
function expand(
  index: number,
  row: Uint32Array,
  next: Uint32Array,
  out: readonly Outgoing[],
): void {
  const hash = hashAt(set, index);
  for (let mover = 0; mover < explorer.searched.movers.length; mover += 1) {
    for (const move of explorer.movesOf(mover, row)) {
      const entry = explorer.stepOf(row, move);
      entry.hits += 1;
      transitions += 1;
      const judgement = entry.judged ?? explorer.judge(row, entry);
      judgement.hits += 1;
      if (judgement.hits === 1) {
        for (const { rule, sentence } of judgement.judged.broken) note(rule, sentence, index);
      }
      if (entry.changed.length === 0) continue;
      const nextHash = after(row, entry, hash, next);
      const owner = ownerOf(next);
      if (owner !== self) {
        addState((out[owner] as Outgoing).sent, next, nextHash, index, -1);
      } else if (addState(set, next, nextHash, index * count + self, -1) >= 0) {
        noteOffences(next, index);
      }
    }
  }
}

/** What a peer gets: rows, and the values of parts that it was not told of. */
function packetFor(peer: number, { sent }: Outgoing): Packet {
  const rows = new Uint32Array(sent.size * width);
  const parents = new Int32Array(sent.size);
  const values: [number, number, unknown][] = [];
  for (let index = 0; index < sent.size; index += 1) {
    const row = rows.subarray(index * width, (index + 1) * width);
    readState(sent, index, row);
    parents[index] = parentAt(sent, index) * count + self;
    for (let part = 0; part < width; part += 1) {
      const ids = told[peer]?.[part] as Set<number>;
      const id = row[part] as number;
      if (ids.has(id)) continue;
      ids.add(id);
      values.push([part, id, explorer.tables[part]?.values[id]]);
    }
  }
  return { from: self, rows, parents, values };
}

/** Expands the level: states for others go out, own ones wait for the next level. */
function expandLevel(): Answer {
  const out: Outgoing[] = Array.from({ length: count }, () => ({ sent: createStateSet(width) }));
  const [row, next] = [new Uint32Array(width), new Uint32Array(width)];
  found.length = 0;
  for (let index = from; index < to; index += 1) {
    readState(set, index, row);
    expand(index, row, next, out);
  }
  const packets = out.map((outgoing, peer) => packetFor(peer, outgoing));
  return { kind: "expanded", packets, found: [...found], transitions };
}

/** Takes what others sent; what is new belongs to the next level. */
function takePackets(packets: readonly Packet[]): Answer {
  found.length = 0;
  const row = new Uint32Array(width);
  for (const { from: peer, rows, parents, values } of packets) {
    const ids = theirs[peer] as number[][];
    for (const [part, id, value] of values) {
      (ids[part] as number[])[id] = idOf(explorer.tables[part] as PartTable, value);
    }
    for (let index = 0; index < parents.length; index += 1) {
      for (let part = 0; part < width; part += 1) {
        row[part] = (ids[part] as number[])[rows[index * width + part] as number] as number;
      }
      const parent = parents[index] as number;
      const added = addState(set, row, explorer.hashOf(row), parent, -1);
      // The rule breaks on the way into this state: the parent is where the last step begins.
      if (added >= 0) {
        for (const { rule, sentences } of explorer.offences(row)) {
          if (known.has(rule)) continue;
          known.add(rule);
          found.push({ rule, sentence: sentences[0] ?? rule, state: -1, parent });
        }
      }
    }
  }
  from = to;
  to = set.size;
  return {
    kind: "taken",
    fresh: to - from,
    states: set.size,
    bytes: bytesOf(set),
    found: [...found],
  };
}

/** The first states that are this worker's. */
function begin(): Answer {
  for (const initial of explorer.searched.initial) {
    const row = explorer.rowOf(initial);
    canonical?.(row);
    const hash = explorer.hashOf(row);
    if (ownerOf(row) === self && addState(set, row, hash, -1, -1) >= 0) noteOffences(row, -1);
  }
  to = set.size;
  return { kind: "taken", fresh: to, states: to, bytes: bytesOf(set), found: [] };
}

function answer(question: Question): Answer {
  switch (question.kind) {
    case "begin":
      return begin();
    case "expand":
      return expandLevel();
    case "take":
      return takePackets(question.packets);
    case "state": {
      const row = new Uint32Array(width);
      readState(set, question.index, row);
      const values = explorer.tables.map((table, part) => table.values[row[part] as number]);
      return { kind: "state", values, parent: parentAt(set, question.index) };
    }
    case "coverage":
      return { kind: "coverage", coverage: coverageOf({ explorer, set, head: 0 }) };
  }
}

parentPort?.on("message", (question: Question) => parentPort?.postMessage(answer(question)));
