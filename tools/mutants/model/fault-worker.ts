// Loads the project, with one file changed or with none, and goes the ways that matter.

import { enableCompileCache } from "node:module";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import { type Ran, startCoverage } from "./coverage.ts";
import { readAs } from "./one-file-wrong.ts";

const project = join(import.meta.dirname, "../../..");

/** What a worker is to do: judge a fault on some ways, or say what each way runs. */
export type FaultTask =
  | {
      readonly kind: "judge";
      readonly file: string;
      readonly text: string;
      /** Names of ways; the others do not run what is changed. */
      readonly ways: readonly string[];
    }
  | { readonly kind: "reach" };

/** What noticed a fault; undefined when nothing did. */
type Noticed = string | undefined;

/** What a worker says of a fault: that it begins with the next way, and at the end its answer. */
export type FaultMessage =
  | { readonly kind: "next" }
  | { readonly kind: "end"; readonly noticed: Noticed };

/** What ran while everything was loaded, and then on each way. */
export interface Reached {
  readonly load: Ran;
  readonly ways: Readonly<Record<string, Ran>>;
}

const tell = (message: FaultMessage): void => parentPort?.postMessage(message);

const messageOf = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split("\n")[0] ?? "";

async function judge({ ways }: FaultTask & { kind: "judge" }): Promise<Noticed> {
  const wanted = new Set(ways);
  try {
    const { faultWays } = await import("./fault-ways.ts");
    for (const { name, wrong } of faultWays()) {
      if (!wanted.delete(name)) continue;
      tell({ kind: "next" });
      const noticed = wrong();
      if (noticed !== undefined || wanted.size === 0) return noticed;
    }
  } catch (error) {
    return `the model stops: ${messageOf(error)}`;
  }
  if (wanted.size > 0) throw new Error(`no way is called ${[...wanted][0]}`);
  return undefined;
}

async function reach(): Promise<Reached> {
  const take = startCoverage();
  const { faultWays } = await import("./fault-ways.ts");
  const load = take();
  const ways: Record<string, Ran> = {};
  for (const { name, wrong } of faultWays()) {
    const noticed = wrong();
    if (noticed !== undefined) throw new Error(`without any fault: ${noticed}`);
    ways[name] = take();
  }
  return { load, ways };
}

const task = workerData as FaultTask;
enableCompileCache(join(project, "out/faults/compiled"));
if (task.kind === "judge") {
  readAs(join(project, task.file), task.text);
  tell({ kind: "end", noticed: await judge(task) });
} else {
  parentPort?.postMessage(await reach());
}
