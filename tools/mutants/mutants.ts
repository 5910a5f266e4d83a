// `npm run mutants -- WHAT`: faults put into a part of the project, to see whether its checks
// notice.

import { mutateCpu } from "./cpu/mutate-cpu.ts";
import { mutateModel } from "./model/mutate-model.ts";
import { mutateOperators } from "./model/mutate-operators.ts";

/** Parts that can be mutated; each takes the rest of the command line and gives the exit code. */
const parts: Readonly<Record<string, (args: readonly string[]) => Promise<number>>> = {
  cpu: mutateCpu,
  model: mutateModel,
  operators: mutateOperators,
};

async function main(args: readonly string[]): Promise<number> {
  // Without a name it is the model's list.
  const [part = "", ...rest] = /^\w/.test(args[0] ?? "-") ? args : ["model", ...args];
  const mutate = Object.hasOwn(parts, part) ? parts[part] : undefined;
  if (mutate === undefined)
    throw new Error(`which part? ${Object.keys(parts).join(", ")}: npm run mutants -- PART`);
  return await mutate(rest);
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  console.error(`mutants: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
