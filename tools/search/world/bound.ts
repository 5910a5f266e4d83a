// `--bound` on a command line: the size of a small world and where its search ends.

import type { Bound } from "../exhaustive/bfs.ts";
import { SMALL, type WorldSize } from "./world.ts";

/** A bound as it was asked for. */
export interface AskedBound {
  readonly size: WorldSize;
  readonly bound: Bound;
}

/** Each key with its smallest and largest value; 0 and 1 are no and yes. */
const SIZES: Readonly<Record<keyof WorldSize, readonly [number, number]>> = {
  cpus: [1, 4],
  modules: [0, 4],
  pages: [0, 8],
  vms: [0, 4],
  hypVms: [0, 4],
  calls: [0, 8],
  faults: [0, 8],
  ops: [0, 1],
  edges: [0, 1],
  rare: [0, 1],
  interleaved: [0, 1],
  registers: [0, 1],
  smcs: [0, 1],
  aborts: [0, 1],
  guests: [0, 1],
};
/** What a world has beyond the smallest one: 0 and 1 are no and yes. */
const MORE = ["edges", "rare", "registers", "smcs", "aborts", "guests"] as const;
const FLAGS: readonly string[] = ["ops", "interleaved", ...MORE];
const ENDS = { depth: 1000, states: 200_000_000, megabytes: 65_536 } as const;

export const BOUND_KEYS: readonly string[] = [...Object.keys(SIZES), ...Object.keys(ENDS)];

const isSize = (key: string): key is keyof WorldSize => Object.hasOwn(SIZES, key);
const isEnd = (key: string): key is keyof typeof ENDS => Object.hasOwn(ENDS, key);

function wholeNumber(text: string, min: number, max: number, key: string): number | string {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN;
  if (value >= min && value <= max) return value;
  return `${key}=${text}: a number from ${min} to ${max} is wanted`;
}

/** Reads `cpus=2,modules=2,pages=3,depth=20`; a text is what is wrong with it. */
export function parseBound(text: string): AskedBound | string {
  const size: Record<string, number | boolean> = { ...SMALL };
  const ends: Record<string, number> = {};
  for (const word of text.split(",").filter((one) => one !== "")) {
    const [key = "", value = ""] = word.split("=");
    const [min, max] = isSize(key) ? SIZES[key] : isEnd(key) ? [1, ENDS[key]] : [0, 0];
    if (!isSize(key) && !isEnd(key)) return `${key}: known are ${BOUND_KEYS.join(", ")}`;
    const number = wholeNumber(value, min, max, key);
    if (typeof number === "string") return number;
    if (isEnd(key)) ends[key] = number;
    else size[key] = FLAGS.includes(key) ? number === 1 : number;
  }
  const { cpus, modules, pages } = size as unknown as WorldSize;
  if (cpus < 1 || pages < modules) return "each module needs a page of its own";
  const { depth, states, megabytes } = ends;
  return {
    size: size as unknown as WorldSize,
    bound: {
      ...(depth === undefined ? {} : { depth }),
      ...(states === undefined ? {} : { states }),
      bytes: (megabytes ?? 2048) * 1_000_000,
    },
  };
}

/** The size in words: `2 CPUs, 1 module, …`. */
export function sizeText(size: WorldSize): string {
  const many = (count: number, what: string): string => `${count} ${what}${count === 1 ? "" : "s"}`;
  return [
    many(size.cpus, "CPU"),
    many(size.modules, "module"),
    many(size.pages, "page"),
    many(size.vms, "VM"),
    ...(size.hypVms > 0 ? [many(size.hypVms, "VM by hypercall")] : []),
    many(size.calls, "call"),
    ...(size.faults > 0 ? [many(size.faults, "fault")] : []),
    ...(size.ops ? [] : ["no ops"]),
    ...MORE.filter((flag) => size[flag]),
    ...(size.interleaved ? [] : ["one CPU after the other"]),
  ].join(", ");
}
