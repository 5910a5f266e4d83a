// `npm run bench -- WHAT`: how fast the parts of the project are, measured on this machine.

import { parseArgs } from "node:util";
import { benchCheck } from "./check/bench-check.ts";
import { benchCore } from "./core/bench-core.ts";
import { benchGenerate } from "./generate/bench-generate.ts";
import { benchSearch } from "./search/bench-search.ts";

interface Bench {
  readonly description: string;
  /** Measures and prints; returns the exit code. */
  readonly run: (seconds: number, print: (text: string) => void) => number;
}

const benches: Readonly<Record<string, Bench>> = {
  core: {
    description: "eight kernels on our core, QEMU and VIXL; cost of a machine",
    run: benchCore,
  },
  check: {
    description: "abstract actions and hypercalls on the machine, beside the ghost specification",
    run: benchCheck,
  },
  generate: {
    description: "states, rules and errnos that random walks reach, beside fc.commands",
    run: benchGenerate,
  },
  search: {
    description: "exhaustive search beside Spin on one small model, and on the model of pKVM",
    run: benchSearch,
  },
};

function usage(): string {
  const lines = Object.entries(benches).map(
    ([name, { description }]) => `  ${name}  ${description}`,
  );
  return ["usage: npm run bench -- WHAT [--seconds S]", ...lines].join("\n");
}

function main(): number {
  const options = { seconds: { type: "string", default: "0.5" } } as const;
  const { positionals, values } = parseArgs({ allowPositionals: true, options });
  const bench = benches[positionals[0] ?? ""];
  const seconds = Number(values.seconds);
  if (bench === undefined || positionals.length !== 1) throw new Error(usage());
  if (!(seconds > 0 && seconds <= 60)) throw new Error("--seconds is from above 0 to 60");
  return bench.run(seconds, (text) => console.log(text));
}

try {
  process.exitCode = main();
} catch (error) {
  console.error(`bench: ${error instanceof Error ? error.message : String(error)}`);
  process.exitCode = 2;
}
