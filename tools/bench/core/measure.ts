// How fast each engine runs each kernel, every checksum compared with what other engines compute.

import type { Engine } from "./engines.ts";
import { kernelNames, type RecordedRun } from "./kernels.ts";

/** Millions of instructions in a second of CPU time, or the checksum that was wrong. */
export type Speed = { readonly mips: number } | { readonly wrong: string };

/** One kernel in every engine. */
export interface Row {
  readonly kernel: string;
  /** Instructions of one iteration, the mean of the recorded ones. */
  readonly instructions: number;
  readonly speeds: readonly Speed[];
}

/** Iterations of the run that is measured, at most; QEMU's loader pokes 32 bits. */
const ITERATIONS_MAX = 2 ** 30;

/** Measures every kernel in every engine, about `seconds` of CPU time each. */
export function measureAll(
  engines: readonly Engine[],
  runs: readonly RecordedRun[],
  seconds: number,
  each: (row: Row) => void,
): Row[] {
  return kernelNames.map((name, kernel) => {
    const recorded = runs.filter((run) => run.kernel === kernel);
    const instructions = perIteration(recorded);
    const row = {
      kernel: name,
      instructions,
      speeds: engines.map((engine) => measure(engine, kernel, recorded, { instructions, seconds })),
    };
    each(row);
    return row;
  });
}

function perIteration(recorded: readonly RecordedRun[]): number {
  const [first, last] = [recorded[0], recorded.at(-1)];
  if (first === undefined || last === undefined || first === last)
    throw new Error("a kernel with less than two recorded runs");
  return (last.instructions - first.instructions) / (last.iterations - first.iterations);
}

function measure(
  engine: Engine,
  kernel: number,
  recorded: readonly RecordedRun[],
  { instructions, seconds }: { instructions: number; seconds: number },
): Speed {
  for (const { iterations, checksum } of recorded) {
    const found = engine.run(kernel, iterations).checksum;
    if (found !== checksum) return { wrong: `${found}, not ${checksum}` };
  }
  // What does not grow with the iterations is taken off: the start, the fill of the scratch memory.
  const start = Math.min(...[1, 1, 1].map((n) => engine.run(kernel, n).cpuSeconds));
  for (let iterations = 4; ; ) {
    const took = engine.run(kernel, iterations).cpuSeconds - start;
    if (took >= seconds || iterations >= ITERATIONS_MAX)
      return { mips: ((iterations - 1) * instructions) / took / 1e6 };
    const growth = (1.2 * seconds) / Math.max(took, 1e-3);
    iterations = Math.min(
      ITERATIONS_MAX,
      Math.ceil(iterations * Math.min(64, Math.max(2, growth))),
    );
  }
}

export function geometricMean(values: readonly number[]): number {
  return Math.exp(values.reduce((sum, value) => sum + Math.log(value), 0) / values.length);
}
