// Whether a way notices a fault: in a worker, which has a copy of the model of its own.

import { Worker } from "node:worker_threads";
import type { Mutant } from "../cpu/candidates.ts";
import type { Verdict } from "../cpu/judge.ts";
import type { FaultMessage, FaultTask } from "./fault-worker.ts";
import { type WaysRecord, waysFor } from "./reach.ts";

/** Processor time of one way, or of loading the model; many times what it takes. */
const LIMIT_SECONDS = 10;
const POLL_MS = 1000;

const ENDLESS = `a way does not end within ${LIMIT_SECONDS} s of processor time`;

/** Goes the ways that run what the fault changes. */
export function noticedOnWays(record: WaysRecord, mutant: Mutant): Promise<Verdict> {
  const ways = waysFor(record, mutant);
  if (ways.length === 0) return Promise.resolve({ kind: "survived" });
  const { file, text } = mutant;
  const workerData: FaultTask = { kind: "judge", file, text, ways };
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL("fault-worker.ts", import.meta.url), { workerData });
    /** How many ways were begun, and at the last look, with the processor time of then. */
    let begun = 0;
    let last = { begun: 0, used: 0 };
    const end = (noticed: string | undefined): void => {
      clearInterval(timer);
      void worker.terminate();
      resolve(noticed === undefined ? { kind: "survived" } : { kind: "killed", by: noticed });
    };
    const look = ({ user, system }: NodeJS.CpuUsage): void => {
      const used = user + system;
      if (begun !== last.begun) last = { begun, used };
      else if (used - last.used > LIMIT_SECONDS * 1e6) end(ENDLESS);
    };
    const timer = setInterval(() => {
      worker.cpuUsage().then(look, () => undefined);
    }, POLL_MS);
    worker.on("message", (message: FaultMessage) => {
      if (message.kind === "next") begun++;
      else end(message.noticed);
    });
    worker.on("error", (error) => {
      clearInterval(timer);
      reject(error);
    });
  });
}
