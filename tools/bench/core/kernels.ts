// The eight kernels: their image, what other engines computed, and a run of one on our core.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { z } from "zod";
import type { El } from "../../../cpu/state.ts";
import { type Executed, execImage } from "../../exec.ts";

/** By the number that the image takes in x0. */
export const kernelNames = [
  "crc32",
  "sha256",
  "copies",
  "sort",
  "sieve",
  "records",
  "tables",
  "loop",
] as const;

/** Where the flat image is linked to, and where its scratch memory is. */
export const IMAGE_ADDRESS = 0x4008_0000n;
export const SCRATCH_ADDRESS = 0x4800_0000n;

const folder = new URL("kernels/", import.meta.url);

/** The path of a file beside the kernels' source. */
export const kernelFile = (name: string): string => fileURLToPath(new URL(name, folder));

const recorded = z.object({
  recorder: z.array(z.string()),
  runs: z.array(
    z.object({
      kernel: z.number(),
      iterations: z.number(),
      checksum: z.string(),
      instructions: z.number(),
    }),
  ),
});

/** One run, as the same C, QEMU and Unicorn agreed on it; the count is Unicorn's. */
export type RecordedRun = z.infer<typeof recorded>["runs"][number];

/** What `record.sh` recorded. */
export function readRecorded(): z.infer<typeof recorded> {
  return recorded.parse(JSON.parse(readFileSync(kernelFile("expected.json"), "utf8")));
}

/** Runs a kernel on our core; the checksum is in x0 if it returned. */
export function runKernel(
  kernel: number,
  iterations: number,
  { el = 2, budget }: { el?: El; budget: number },
): Executed {
  const image = readFileSync(kernelFile("kernels.bin"));
  const x = { 0: BigInt(kernel), 1: BigInt(iterations), 2: SCRATCH_ADDRESS };
  return execImage({ image, at: IMAGE_ADDRESS, el, x, budget });
}

/** A checksum as the engines print it. */
export const checksumText = (value: bigint): string => value.toString(16).padStart(16, "0");
