// Recordings as files: a header line, then one vector a line. properties/vectors/FORMAT.md defines
// it.

import { z } from "zod";
import type { CpuModel } from "../../cpu/cpu-model.ts";
import type { Background } from "./draft.ts";
import type { ReplayMachine } from "./replay.ts";
import type { Cell, ElName, Outcome, RecordedVector, Settings, Vector } from "./vector.ts";

/** The version of the format. */
const FORMAT = 1;

const hex = (value: bigint | number): string => BigInt(value).toString(16);
const fromHex = (text: string): bigint => BigInt(`0x${text}`);

const hexText = z.string().regex(/^[0-9a-f]{1,16}$/);
const hexMap = z.record(z.string(), hexText);

/** Runs of doublewords: the address of the first, and all of them, 16 digits each. */
const runs = z.record(hexText, z.string().regex(/^(?:[0-9a-f]{16})+$/));

const headerShape = z.strictObject({
  recorder: z.literal(FORMAT),
  /** The first line of `qemu-system-aarch64 --version`. */
  qemu: z.string(),
  /** The name of the processor, and QEMU's arguments. */
  processor: z.string(),
  machine: z.string(),
  seed: z.number(),
  /** The features of the processor; those that are absent are off. */
  features: z.array(z.string()),
  paBits: z.number(),
  idRegisters: hexMap,
  cacheSizes: hexMap,
  /** X0 to X30 where a line does not say otherwise. */
  x: z.array(hexText).length(31),
  /** SP_EL0, SP_EL1 and SP_EL2 likewise. */
  sp: z.array(hexText).length(3),
  /** The values of the observed registers where neither configuration nor line sets them. */
  registers: hexMap,
  configurations: z.record(z.string(), hexMap),
  tables: runs,
});

const cells = hexMap;

const stateShape = z.strictObject({
  pc: hexText.optional(),
  pstate: hexText.optional(),
  x: hexMap.optional(),
  sp: z.array(hexText).length(3).optional(),
  registers: hexMap.optional(),
  memory: cells.optional(),
  tags: cells.optional(),
});

const lineShape = z.strictObject({
  entry: z.string(),
  el: z.enum(["EL0t", "EL1t", "EL1h", "EL2t", "EL2h"]),
  configuration: z.string(),
  /** The instruction word. */
  op: z.string().regex(/^[0-9a-f]{8}$/),
  pre: stateShape.extend({
    pc: hexText,
    /** Physical address of the code; null where `pc` is not mapped, absent where it is `pc`. */
    pa: hexText.nullable().optional(),
    pstate: hexText,
    /** Present where allocation tags are compared. */
    tagged: z.literal(true).optional(),
  }),
  post: stateShape,
  exception: z
    .strictObject({
      target: z.union([z.literal(1), z.literal(2)]),
      offset: hexText,
      esr: hexText,
      elr: hexText,
      spsr: hexText,
    })
    .optional(),
});

export type Header = z.infer<typeof headerShape>;
export type Line = z.infer<typeof lineShape>;

const mapToHex = (map: Iterable<readonly [string | bigint, bigint]>): Record<string, string> =>
  Object.fromEntries(
    [...map].map(([key, value]) => [typeof key === "string" ? key : hex(key), hex(value)]),
  );

const settingsFrom = (map: Record<string, string> = {}): Settings =>
  new Map(Object.entries(map).map(([name, value]) => [name, fromHex(value)]));

const cellsFrom = (map: Record<string, string> = {}): Cell[] =>
  Object.entries(map).map(([address, value]) => [fromHex(address), fromHex(value)]);

/** Only the members that have something in them. */
function withoutEmpty<T extends object>(value: T): Partial<T> {
  const entries = Object.entries(value).filter(
    ([, member]) =>
      member !== undefined &&
      !(typeof member === "object" && Object.keys(member ?? 1).length === 0),
  );
  return Object.fromEntries(entries) as Partial<T>;
}

/** The registers of `x` that differ from `from`. */
function changedX(x: BigUint64Array, from: BigUint64Array): Record<string, string> {
  const changed: Record<string, string> = {};
  x.forEach((value, n) => {
    if (value !== from[n]) changed[n] = hex(value);
  });
  return changed;
}

const sameStack = (a: Vector["sp"], b: Vector["sp"]): boolean => a.every((sp, i) => sp === b[i]);

/** One line. `background` is what the header says. */
export function lineOf({ vector, outcome }: RecordedVector, background: Background): Line {
  const { pc, pa } = vector;
  const { exception } = outcome;
  return {
    entry: vector.entry,
    el: vector.el,
    configuration: vector.configuration,
    op: hex(vector.words[0]!).padStart(8, "0"),
    pre: {
      pc: hex(pc),
      ...(pa === pc ? {} : { pa: pa === undefined ? null : hex(pa) }),
      pstate: hex(vector.pstate),
      ...withoutEmpty({
        x: changedX(vector.x, background.x),
        sp: sameStack(vector.sp, background.sp) ? undefined : vector.sp.map(hex),
        registers: mapToHex(vector.settings),
        memory: mapToHex(vector.memory),
      }),
      ...(vector.tags ? { tagged: true } : {}),
    },
    post: withoutEmpty({
      pc: outcome.pc === pc + 4n || exception !== undefined ? undefined : hex(outcome.pc),
      pstate: outcome.pstate === vector.pstate ? undefined : hex(outcome.pstate),
      x: changedX(outcome.x, vector.x),
      sp: sameStack(outcome.sp, vector.sp) ? undefined : outcome.sp.map(hex),
      registers: mapToHex(outcome.settings),
      memory: mapToHex(outcome.memory),
      tags: mapToHex(outcome.tags),
    }),
    ...(exception === undefined ? {} : { exception: exceptionText(exception) }),
  };
}

function exceptionText(exception: NonNullable<Outcome["exception"]>): Line["exception"] {
  const { target, offset, esr, elr, spsr } = exception;
  return { target, offset: hex(offset), esr: hex(esr), elr: hex(elr), spsr: hex(spsr) };
}

function withX(from: BigUint64Array, changes: Record<string, string> = {}): BigUint64Array {
  const x = from.slice();
  for (const [n, value] of Object.entries(changes)) x[Number(n)] = fromHex(value);
  return x;
}

const stackFrom = (sp: readonly string[]): Vector["sp"] => [
  fromHex(sp[0]!),
  fromHex(sp[1]!),
  fromHex(sp[2]!),
];

function vectorFrom(line: Line, background: Background): Vector {
  const { pre } = line;
  const pc = fromHex(pre.pc);
  return {
    entry: line.entry,
    mode: "step",
    el: line.el satisfies ElName,
    configuration: line.configuration,
    words: [Number.parseInt(line.op, 16)],
    pc,
    pa: pre.pa === undefined ? pc : pre.pa === null ? undefined : fromHex(pre.pa),
    pstate: Number.parseInt(pre.pstate, 16),
    x: withX(background.x, pre.x),
    sp: pre.sp === undefined ? background.sp : stackFrom(pre.sp),
    settings: settingsFrom(pre.registers),
    memory: cellsFrom(pre.memory),
    tags: pre.tagged === true,
  };
}

/** The vector and the outcome of a line. `vbar` is VBAR_ELx of the exception's target. */
export function recordedFrom(
  line: Line,
  background: Background,
  vbar: (vector: Vector, target: 1 | 2) => bigint,
): RecordedVector {
  const vector = vectorFrom(line, background);
  const { post, exception } = line;
  const taken = exception && {
    target: exception.target,
    offset: Number.parseInt(exception.offset, 16),
    esr: Number.parseInt(exception.esr, 16),
    elr: fromHex(exception.elr),
    spsr: Number.parseInt(exception.spsr, 16),
  };
  const next = BigInt.asUintN(64, vector.pc + 4n);
  const outcome: Outcome = {
    x: withX(vector.x, post.x),
    sp: post.sp === undefined ? vector.sp : stackFrom(post.sp),
    pc: taken
      ? vbar(vector, taken.target) + BigInt(taken.offset)
      : post.pc === undefined
        ? next
        : fromHex(post.pc),
    pstate: post.pstate === undefined ? vector.pstate : Number.parseInt(post.pstate, 16),
    exception: taken,
    settings: settingsFrom(post.registers),
    memory: cellsFrom(post.memory),
    tags: cellsFrom(post.tags),
  };
  return { vector, outcome };
}

/** Doublewords as runs without gaps; zero where none is. */
export function runsOf(doublewords: ReadonlyMap<bigint, bigint>): Record<string, string> {
  const result: Record<string, string> = {};
  let [start, end] = [0n, -1n];
  for (const [address, value] of [...doublewords].sort(([a], [b]) => (a < b ? -1 : 1))) {
    if (value === 0n) continue;
    if (address !== end) start = address;
    const key = hex(start);
    result[key] = (result[key] ?? "") + hex(value).padStart(16, "0");
    end = address + 8n;
  }
  return result;
}

/** The registers that lines leave out. */
export function backgroundFrom(header: Header): Background {
  return { x: BigUint64Array.from(header.x.map(fromHex)), sp: stackFrom(header.sp) };
}

/** The doublewords of runs. */
export function doublewordsOf(runs: Record<string, string>): Cell[] {
  return Object.entries(runs).flatMap(([address, digits]) =>
    digits
      .match(/.{16}/g)!
      .map((value, i): Cell => [fromHex(address) + BigInt(8 * i), fromHex(value)]),
  );
}

export function settingsOfHeader(header: Header): Pick<ReplayMachine, "base" | "configurations"> {
  const configurations = Object.entries(header.configurations);
  return {
    base: settingsFrom(header.registers),
    configurations: new Map(configurations.map(([name, map]) => [name, settingsFrom(map)])),
  };
}

export function parseHeader(text: string): Header {
  return parseAs(headerShape, text, 1);
}

export function parseLine(text: string, number: number): Line {
  return parseAs(lineShape, text, number);
}

/** Throws with a message of one line. */
function parseAs<T>(shape: z.ZodType<T>, text: string, number: number): T {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error(`line ${number}: not JSON`);
  }
  const result = shape.safeParse(value);
  if (result.success) return result.data;
  const issue = result.error.issues[0];
  throw new Error(`line ${number}: ${issue?.path.join(".")}: ${issue?.message}`);
}

/** The header of a recording that ran on this machine. */
export function headerOf(
  machine: ReplayMachine,
  about: Pick<Header, "qemu" | "machine" | "seed" | "tables">,
  background: Background,
): Header {
  const { cpuModel, base, configurations } = machine;
  const { features } = cpuModel;
  return {
    ...{ recorder: FORMAT, qemu: about.qemu, machine: about.machine, seed: about.seed },
    processor: cpuModel.name,
    features: Object.keys(features).filter((name) => features[name as keyof typeof features]),
    paBits: cpuModel.paBits,
    idRegisters: mapToHex(Object.entries(cpuModel.idRegisters)),
    cacheSizes: mapToHex(Object.entries(cpuModel.cacheSizes)),
    x: [...background.x].map(hex),
    sp: background.sp.map(hex),
    registers: mapToHex(base),
    configurations: Object.fromEntries(
      [...configurations].map(([name, settings]) => [name, mapToHex(settings)]),
    ),
    tables: about.tables,
  };
}

/** The processor that a header describes; `known` has the names of all features. */
export function cpuModelFrom(header: Header, known: CpuModel): CpuModel {
  const features = Object.keys(known.features).map((name) => [
    name,
    header.features.includes(name),
  ]);
  const idRegisters = [...settingsFrom(header.idRegisters)];
  const caches = [...settingsFrom(header.cacheSizes)];
  return {
    ...known,
    name: header.processor,
    features: Object.fromEntries(features),
    paBits: header.paBits,
    idRegisters: { ...known.idRegisters, ...Object.fromEntries(idRegisters) },
    cacheSizes: Object.fromEntries(caches),
  };
}
