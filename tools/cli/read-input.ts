// Reads a file that somebody named: what has no end, or is larger than any input, is refused.

import { closeSync, openSync, readSync, statSync } from "node:fs";
import { UsageError } from "./exit.ts";

const MIB = 1024 * 1024;
/** The largest input that is read, in MiB, where nobody says otherwise. */
const INPUT_MIB_MAX = 64;

/**
 * The bytes of a file. A device or a pipe is read as far as an input may be long, so that one
 * without an end is refused and not waited for.
 */
export function readInput(path: string, mibMax = INPUT_MIB_MAX): Buffer {
  if (statSync(path).isDirectory()) throw new UsageError(`${path}: a folder, not a file`);
  const chunks: Buffer[] = [];
  const file = openSync(path, "r");
  try {
    for (let total = 0; ; ) {
      const chunk = Buffer.alloc(MIB);
      const length = readSync(file, chunk);
      if (length === 0) return Buffer.concat(chunks);
      chunks.push(chunk.subarray(0, length));
      total += length;
      if (total > mibMax * MIB) throw new UsageError(`${path}: larger than ${mibMax} MiB`);
    }
  } finally {
    closeSync(file);
  }
}
