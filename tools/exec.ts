// `exec IMAGE`: a flat image or an ELF on the core, from its entry until something stops it.

import { readFileSync, statSync } from "node:fs";
import { type Command, Option } from "commander";
import { createCore, run, type Stop } from "../cpu/core.ts";
import { type CpuModel, cpuModels, max } from "../cpu/cpu-model.ts";
import { createMemory, type Region, writeBytes } from "../cpu/memory.ts";
import type { Core, El } from "../cpu/state.ts";
import { execText } from "./exec/exec-text.ts";
import { ImageError, loadImage, type Segment } from "./exec/load-image.ts";

/** What to run, and from which state. */
export interface ExecOptions {
  /** The bytes of the file. */
  readonly image: Uint8Array;
  /** Where a flat image or a position-independent ELF is loaded; else it replaces the entry. */
  readonly at?: bigint | undefined;
  readonly el: El;
  /** Values of X0 to X30 by number; the others are 0, and X30 is `RETURN`. */
  readonly x?: Readonly<Record<number, bigint>> | undefined;
  /** The stack pointer; by default the end of memory. */
  readonly sp?: bigint | undefined;
  /** How many instructions may be executed. */
  readonly budget?: number | undefined;
  readonly cpuModel?: CpuModel | undefined;
}

/** How a run ended. */
export type Ended =
  /** `RETURN` was reached: the code returned to what X30 held at the start. */
  | { readonly kind: "returned" }
  /** An exception was taken to a level whose vectors the code had not set. */
  | { readonly kind: "exception"; readonly to: 1 | 2; readonly offset: number }
  | Exclude<Stop, { readonly kind: "gate" }>;

export interface Executed {
  readonly ended: Ended;
  readonly core: Core;
  /** Instructions executed, those that took an exception included. */
  readonly instructions: number;
}

/** Memory of every run, besides the pages of the image: 1 GiB, where QEMU's `virt` has it. */
export const RAM: Region = { base: 0x4000_0000n, sizeBytes: 0x4000_0000n };
/** Where X30 points at the start. It is never fetched from: reaching it is the end. */
export const RETURN = 0xffff_ffff_ffff_f800n;
/** VBAR_EL1 and VBAR_EL2 at the start; an exception that goes there is the end. */
const VECTORS = 0xffff_ffff_ffff_f000n;
const VECTOR_COUNT = 16;
const VECTOR_BYTES = 0x80;
const BUDGET = 10_000_000;
const HCR_RW = 1n << 31n;

/** Runs an image; throws `ImageError` if it cannot be loaded. */
export function execImage(options: ExecOptions): Executed {
  const { el, cpuModel = max, budget = BUDGET } = options;
  const { segments, entry } = loadImage(options.image, options.at);
  const core = createCore(cpuModel, memoryWith(segments, cpuModel), 0n);
  core.pc = entry;
  Object.assign(core.pstate, { EL: el, SP: el === 0 ? 0 : 1 });
  core.sysreg.HCR_EL2 = HCR_RW;
  core.sysreg.VBAR_EL1 = VECTORS;
  core.sysreg.VBAR_EL2 = VECTORS;
  core.sp[el] = options.sp ?? RAM.base + RAM.sizeBytes;
  core.x[30] = RETURN;
  for (const [n, value] of Object.entries(options.x ?? {})) core.x[Number(n)] = value;
  const vectors = Array.from(
    { length: VECTOR_COUNT },
    (_, i) => VECTORS + BigInt(i * VECTOR_BYTES),
  );
  const owned: ReadonlySet<bigint> = new Set([RETURN, ...vectors]);
  const stop = run(core, { budget, gates: { el1: owned, el2: owned } });
  const ended = endOf(core, stop);
  // No gate is at EL0: there the fetch at RETURN faulted, which was counted.
  const faulted = ended.kind === "returned" && core.pc !== RETURN;
  return { ended, core, instructions: core.retired - (faulted ? 1 : 0) };
}

function memoryWith(segments: readonly Segment[], cpuModel: CpuModel) {
  const page = 4096n;
  const end = 1n << BigInt(cpuModel.paBits);
  const regions = segments.map(({ address, sizeBytes }) => {
    if (address + sizeBytes > end)
      throw new ImageError(
        `0x${address.toString(16)} is beyond the ${cpuModel.paBits} bits of physical address`,
      );
    const base = address - (address % page);
    const size = address + sizeBytes - base;
    return { base, sizeBytes: ((size + page - 1n) / page) * page };
  });
  const memory = createMemory([RAM, ...regions]);
  for (const { address, bytes } of segments) writeBytes(memory, address, bytes);
  return memory;
}

function endOf(core: Core, stop: Stop): Ended {
  if (stop.kind !== "gate") return stop;
  if (stop.address === RETURN) return { kind: "returned" };
  const to = stop.el === 2 ? 2 : 1;
  const link = to === 2 ? core.sysreg.ELR_EL2 : core.sysreg.ELR_EL1;
  if (link === RETURN) return { kind: "returned" };
  return { kind: "exception", to, offset: Number(stop.address - VECTORS) };
}

/** Reads a 64-bit value, in decimal or with 0x. */
export function parseValue(name: string, text: string): bigint {
  const value = /^(?:0x[0-9a-f]+|\d+)$/i.test(text) ? BigInt(text) : undefined;
  if (value === undefined || value >> 64n !== 0n)
    throw new ImageError(`${name}: "${text}" is not a number of up to 64 bits`);
  return value;
}

interface Flags {
  readonly at?: string;
  readonly el?: string;
  readonly sp?: string;
  readonly budget?: string;
  readonly cpu?: string;
  readonly [register: `x${number}`]: string;
}

function parseFlags(image: Uint8Array, flags: Flags): ExecOptions {
  const value = (name: "at" | "sp" | "budget" | `x${number}`): bigint | undefined => {
    const text = flags[name];
    return text === undefined ? undefined : parseValue(`--${name}`, text);
  };
  const el = { "0": 0, "1": 1, "2": 2 }[flags.el ?? "2"] as El | undefined;
  if (el === undefined) throw new ImageError(`--el: "${flags.el}" is not 0, 1 or 2`);
  const budget = Number(value("budget") ?? BUDGET);
  if (!Number.isSafeInteger(budget)) throw new ImageError("--budget: too large");
  const cpuModel = cpuModels[flags.cpu ?? max.name];
  if (cpuModel === undefined)
    throw new ImageError(`--cpu: "${flags.cpu}" is not ${Object.keys(cpuModels).join(" or ")}`);
  const x: Record<number, bigint> = {};
  for (let n = 0; n < 31; n++) {
    const given = value(`x${n}`);
    if (given !== undefined) x[n] = given;
  }
  return { image, at: value("at"), el, x, sp: value("sp"), budget, cpuModel };
}

function readImage(path: string): Uint8Array {
  try {
    // A device like /dev/zero has no end.
    if (statSync(path).isCharacterDevice()) throw new ImageError("a device, not a file");
    return readFileSync(path);
  } catch (error) {
    if (error instanceof ImageError) throw error;
    const why = error instanceof Error && "code" in error ? error.code : error;
    throw new ImageError(`cannot be read: ${why}`);
  }
}

/** What `exec` does with its command line: the text to print, or the reason why it cannot. */
export function execCommand(path: string, flags: Flags): { ok: boolean; text: string } {
  try {
    return { ok: true, text: execText(execImage(parseFlags(readImage(path), flags))) };
  } catch (error) {
    if (!(error instanceof ImageError)) throw error;
    return { ok: false, text: `pkvm-spec exec: ${path}: ${error.message}` };
  }
}

/** Adds the command `exec` to a command line. */
export function registerExec(program: Command): void {
  const command = program
    .command("exec")
    .argument("<image>", "a flat image, or an ELF that needs no dynamic linker")
    .description("run a flat image or an ELF on the core, and print how it stopped")
    .option("--at <address>", "where it is loaded and starts; for a fixed ELF, where it starts")
    .option("--el <level>", "Exception level: 0, 1 or 2", "2")
    .option("--sp <value>", "stack pointer (default: the end of memory)")
    .option("--budget <count>", "instructions at most", String(BUDGET))
    .option("--cpu <name>", `processor: ${Object.keys(cpuModels).join(" or ")}`, max.name)
    .option("--x0 <value>", "general-purpose register; likewise --x1 to --x30");
  for (let n = 1; n < 31; n++) command.addOption(new Option(`--x${n} <value>`).hideHelp());
  command.action((path: string, flags: Flags) => {
    const { ok, text } = execCommand(path, flags);
    if (ok) process.stdout.write(`${text}\n`);
    else process.stderr.write(`${text}\n`);
    if (!ok) process.exitCode = 2;
  });
}
