// Loads the project with one file changed and hunts for what the change breaks.

import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { parentPort, workerData } from "node:worker_threads";
import type { RuleId } from "../../../spec/findings.ts";
import type { Hunted } from "./mutant.ts";
import { readAs } from "./one-file-wrong.ts";

/** What a worker is given: the file, the text that takes its place, and the rules to look for. */
export interface Hunt {
  readonly file: string;
  readonly text: string;
  readonly spokenOfBy: readonly RuleId[];
}

const { file, text, spokenOfBy } = workerData as Hunt;
const changed = fileURLToPath(new URL(`../../../${file}`, import.meta.url));
const isLoaded = readAs(changed, text);

/** The answer of the hunt; a fault in a file that nothing loads says nothing. */
async function answer(): Promise<Hunted> {
  try {
    const { hunt } = await import("./hunt.ts");
    if (!isLoaded()) return { kind: "crashed", why: `nothing loads ${file}`, searched: 0 };
    return hunt(spokenOfBy);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    return { kind: "crashed", why: why.split("\n")[0] ?? "", searched: 0 };
  }
}

if (readFileSync(changed, "utf8") === text) throw new Error(`${file} is not changed`);
parentPort?.postMessage(await answer());
