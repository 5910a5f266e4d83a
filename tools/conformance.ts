#!/usr/bin/env node
// `npm run conformance -- PATH…`: holds the model against recorded traces of real pKVM.

import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Command } from "commander";
import { compareTrace } from "../properties/conformance/compare.ts";
import { type NamedTrace, readImages, readTraces } from "../properties/conformance/folder.ts";
import {
  conformanceTable,
  countsOf,
  mismatchLines,
  type NamedResult,
} from "../properties/conformance/table.ts";
import { EXIT, exiting, quiet, runMain, UsageError } from "./cli/exit.ts";
import { readInput } from "./cli/read-input.ts";

const BUILT_IN: Readonly<Record<string, string>> = {
  ovm: "../examples/measurement/ovm.ko",
  ovmt: "../examples/measurement-textonly/ovmt.ko",
};

/** NAME=FILE options, read. */
function namedFiles(options: readonly string[], what: string): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (const option of options) {
    const [name = "", file = ""] = [option.split("=")[0], option.slice(option.indexOf("=") + 1)];
    if (name === "" || file === "" || !option.includes("=")) {
      throw new UsageError(`--${what} ${option}: write NAME=FILE`);
    }
    if (!existsSync(file)) throw new UsageError(`--${what} ${name}: ${file}: no such file`);
    files.set(name, readInput(file));
  }
  return files;
}

function tracesOf(paths: readonly string[]): readonly NamedTrace[] {
  return paths.flatMap((path) => {
    const read = readTraces(path);
    if (!read.ok) throw new UsageError(read.error);
    return read.traces;
  });
}

/** The modules that a trace's initramfs holds must be there. */
function checkModules(traces: readonly NamedTrace[], files: ReadonlyMap<string, unknown>): void {
  for (const { name, trace } of traces) {
    for (const module of trace.header.modules) {
      if (module.loaded !== undefined || files.has(module.name)) continue;
      throw new UsageError(
        `${name}: no file for module ${module.name}; --module ${module.name}=FILE`,
      );
    }
  }
}

interface Options {
  readonly module: readonly string[];
  readonly guest: readonly string[];
}

function conformance(paths: readonly string[], options: Options): number {
  const files = new Map<string, Uint8Array>(
    Object.entries(BUILT_IN).map(([name, path]) => [
      name,
      readFileSync(fileURLToPath(new URL(path, import.meta.url))),
    ]),
  );
  for (const [name, bytes] of namedFiles(options.module, "module")) files.set(name, bytes);
  const images = readImages(fileURLToPath(new URL("../examples/guests", import.meta.url)));
  for (const [name, bytes] of images) files.set(name, bytes);
  for (const [name, bytes] of namedFiles(options.guest, "guest")) files.set(name, bytes);
  const traces = tracesOf(paths);
  checkModules(traces, files);
  const results: NamedResult[] = traces.map(({ name, trace }) => ({
    name,
    result: compareTrace(trace, files),
  }));
  for (const result of results) {
    for (const line of mismatchLines(result)) process.stdout.write(`${line}\n`);
  }
  process.stdout.write(`${conformanceTable(results)}\n`);
  return results.some(({ result }) => countsOf(result).mismatched > 0)
    ? EXIT.violation
    : EXIT.holds;
}

const collect = (value: string, before: readonly string[]): readonly string[] => [...before, value];

const command = quiet(new Command("conformance"))
  .description("Holds the model against recorded traces of real pKVM.")
  .argument("<path...>", "trace files (.jsonl), or folders of them")
  .option("--module <NAME=FILE>", "the file of a module in the initramfs", collect, [])
  .option("--guest <NAME=FILE>", "the image of a guest", collect, [])
  .action(exiting(conformance));

await runMain(command, process.argv);
