// Reads trace files: one, or every one below a folder, each under the name that tables show.

import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { basename, dirname, join } from "node:path";
import { readInput } from "../../tools/cli/read-input.ts";
import { readTrace, type Trace } from "./trace.ts";

/** A trace with the name of its kernel's folder before its own. */
export interface NamedTrace {
  readonly name: string;
  readonly trace: Trace;
}

export type ReadTraces =
  | { readonly ok: true; readonly traces: readonly NamedTrace[] }
  | { readonly ok: false; readonly error: string };

const nameOf = (path: string): string =>
  `${basename(dirname(path))}/${basename(path).replace(/\.jsonl$/, "")}`;

/** Lists of hypercall ids lie beside the traces; they are none. */
const isTrace = (file: string): boolean =>
  file.endsWith(".jsonl") && !file.startsWith("host-hypercall-ids.");

function filesOf(path: string): readonly string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && isTrace(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
}

/** The traces of a file or a folder; the first that cannot be read is the answer instead. */
export function readTraces(path: string): ReadTraces {
  if (!existsSync(path)) return { ok: false, error: `${path}: no such file or folder` };
  const files = filesOf(path);
  if (files.length === 0) return { ok: false, error: `${path}: no .jsonl file in it` };
  const traces: NamedTrace[] = [];
  for (const file of files) {
    const read = readTrace(readInput(file).toString("utf8"));
    if (!read.ok) return { ok: false, error: `${file}: ${read.error}` };
    traces.push({ name: nameOf(file), trace: read.trace });
  }
  return { ok: true, traces };
}

/** The images of guests in a folder, by name. */
export function readImages(folder: string): ReadonlyMap<string, Uint8Array> {
  const images = readdirSync(folder).filter((file) => file.endsWith(".bin"));
  return new Map(
    images.map((file) => [file.replace(/\.bin$/, ""), readFileSync(join(folder, file))]),
  );
}
