// Recorded programs as a file: a line that says with what, then a line for each program.

import { gunzipSync, gzipSync } from "node:zlib";
import { z } from "zod";
import type { ElName } from "../vector.ts";
import type { Assembled } from "./batch.ts";
import { DUMPED } from "./machine.ts";
import { digest, type Outcome, type Program } from "./program.ts";

const hexText = z.string().regex(/^[0-9a-f]+$/);
const number64 = hexText.transform((text) => BigInt(`0x${text}`));

const header = z.object({
  qemu: z.string(),
  seed: z.number(),
  /** The vectors of EL1 and EL2, in base 64. */
  handlers: z.base64(),
});

const line = z.object({
  el: z.enum(["EL0t", "EL1t", "EL1h", "EL2t", "EL2h"]),
  pstate: number64,
  x: z.array(number64).length(31),
  sp: z.tuple([number64, number64, number64]),
  /** Eight hexadecimal digits a word. */
  words: hexText,
  /** What QEMU made of it: X0 to X30, the stack pointers, the registers of `DUMPED`, memory. */
  after: z.object({
    x: z.array(number64).length(31),
    sp: z.array(number64).length(3),
    settings: z.array(number64).length(DUMPED.length),
    memory: number64,
  }),
});

/** What a recording keeps of an outcome: memory only as its digest. */
export interface Kept extends Omit<Outcome, "memory"> {
  readonly memory: bigint;
}

export interface RecordedPrograms {
  readonly qemu: string;
  readonly seed: number;
  readonly handlers: Uint8Array;
  readonly programs: readonly { readonly assembled: Assembled; readonly after: Kept }[];
}

export const keptOf = (outcome: Outcome): Kept => ({
  ...outcome,
  memory: digest(outcome.memory),
});

const hex = (value: bigint | number): string => value.toString(16);

/** The bytes of the file. */
export function packRecorded({ qemu, seed, handlers, programs }: RecordedPrograms): Uint8Array {
  const first = { qemu, seed, handlers: Buffer.from(handlers).toString("base64") };
  const lines = programs.map(({ assembled: { program, words }, after }) => ({
    el: program.el,
    pstate: hex(program.pstate),
    x: [...program.x].map(hex),
    sp: program.sp.map(hex),
    words: words.map((word) => hex(word).padStart(8, "0")).join(""),
    after: {
      x: [...after.x].map(hex),
      sp: [...after.sp].map(hex),
      settings: [...after.settings.values()].map(hex),
      memory: hex(after.memory),
    },
  }));
  const text = [first, ...lines].map((member) => `${JSON.stringify(member)}\n`).join("");
  return gzipSync(text, { level: 9 });
}

function readLine(text: string): RecordedPrograms["programs"][number] {
  const { el, pstate, x, sp, words, after } = line.parse(JSON.parse(text));
  const program: Program = {
    ...{ el: el satisfies ElName, pstate: Number(pstate), sp, items: [] },
    x: BigUint64Array.from(x),
  };
  const split = words.match(/.{8}/g) ?? [];
  return {
    assembled: { program, words: split.map((word) => Number.parseInt(word, 16)) },
    after: {
      x: BigUint64Array.from(after.x),
      sp: BigUint64Array.from(after.sp),
      settings: new Map(DUMPED.map((name, i) => [name, after.settings[i]!])),
      memory: after.memory,
    },
  };
}

/** Reads a file of `packRecorded`. */
export function readRecorded(bytes: Uint8Array): RecordedPrograms {
  const [first = "", ...lines] = gunzipSync(bytes).toString("utf8").trimEnd().split("\n");
  const { qemu, seed, handlers } = header.parse(JSON.parse(first));
  return {
    ...{ qemu, seed },
    handlers: new Uint8Array(Buffer.from(handlers, "base64")),
    programs: lines.map(readLine),
  };
}
