// A few workers at a time, each with its own copy of the model in which one file is wrong.

import { Worker } from "node:worker_threads";
import type { Hunted } from "./mutant.ts";
import type { Hunt } from "./worker.ts";

/** Seconds after which a fault has made something endless; far more than a hunt takes. */
const LIMIT_SECONDS = 300;

/** Loads the model with the change and hunts. */
function huntInWorker(workerData: Hunt): Promise<Hunted> {
  return new Promise((resolve) => {
    const worker = new Worker(new URL("worker.ts", import.meta.url), { workerData });
    const crashed = (why: string) => {
      clearTimeout(timer);
      void worker.terminate();
      resolve({ kind: "crashed", why, searched: 0 });
    };
    const timer = setTimeout(() => crashed(`no end in ${LIMIT_SECONDS} s`), LIMIT_SECONDS * 1000);
    worker.on("message", (hunted: Hunted) => {
      clearTimeout(timer);
      void worker.terminate();
      resolve(hunted);
    });
    worker.on("error", (error) => crashed(String(error).split("\n")[0] ?? ""));
  });
}

/** Hunts all, `jobs` at a time; `done` hears of each in the order in which they end. */
export async function huntAll<T extends Hunt>(
  hunts: readonly T[],
  jobs: number,
  done: (hunt: T, hunted: Hunted, seconds: number) => void,
): Promise<readonly Hunted[]> {
  const results: Hunted[] = [];
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let at = next++; at < hunts.length; at = next++) {
      const one = hunts[at]!;
      const start = performance.now();
      const { file, text, spokenOfBy } = one;
      const hunted = await huntInWorker({ file, text, spokenOfBy });
      results[at] = hunted;
      done(one, hunted, (performance.now() - start) / 1000);
    }
  };
  await Promise.all(Array.from({ length: jobs }, lane));
  return results;
}
