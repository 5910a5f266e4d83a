// Whether a way notices a fault: in a worker, which has a copy of the model of its own.

import { Worker } from "node:worker_threads";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import type { FaultTask, Noticed } from "./fault-worker.ts";
import { type WaysRecord, waysFor } from "./reach.ts";

/** Processor time of one fault; several times what all ways take. */
const LIMIT_SECONDS = 60;
const POLL_MS = 1000;

const ENDLESS = `does not end within ${LIMIT_SECONDS} s of processor time`;

/** Goes the ways that run what the fault changes. */
export function noticedOnWays(record: WaysRecord, mutant: Mutant): Promise<Verdict> {
  const ways = waysFor(record, mutant);
  if (ways.length === 0) return Promise.resolve({ kind: "survived" });
  const { file, text } = mutant;
  const workerData: FaultTask = { kind: "judge", file, text, ways };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("fault-worker.ts", import.meta.url), { workerData });
    const end = (verdict: Verdict): void => {
      clearInterval(timer);
      void worker.terminate();
      resolve(verdict);
    };
    const timer = setInterval(() => {
      worker.cpuUsage().then(
        ({ user, system }) => {
          if (user + system > LIMIT_SECONDS * 1e6) end({ kind: "killed", by: ENDLESS });
        },
        () => undefined,
      );
    }, POLL_MS);
    worker.on("message", (by: Noticed) =>
      end(by === undefined ? { kind: "survived" } : { kind: "killed", by }),
    );
    worker.on("error", (error) => {
      clearInterval(timer);
      reject(error);
    });
  });
}
