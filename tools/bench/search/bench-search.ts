// `npm run bench -- search`: states a second beside Spin on one model, and on the model of pKVM.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { carryOn, type Search, startSearch } from "../../search/exhaustive/bfs.ts";
import { createExplorer } from "../../search/exhaustive/explorer.ts";
import { startWorld } from "../../search/find-violation.ts";
import { lifecycle, type Size } from "./lifecycle.ts";
import { promela } from "./promela.ts";

/** States, steps and seconds of CPU time of one exhaustive search. */
export interface Speed {
  readonly states: number;
  readonly steps: number;
  readonly seconds: number;
}

/** Runs of each; the fastest one counts, as the machine may be shared. */
const REPEAT = 3;
const AIM = 0.2;

const fastest = (speeds: readonly Speed[]): Speed =>
  speeds.reduce((best, speed) => (speed.seconds < best.seconds ? speed : best));

function cpuSeconds(work: () => void): number {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1e6;
}

/** One search of ours, from nothing. */
function searchOnce<S extends object, A, L>(start: () => Search<S, A, L>): Speed {
  let search: Search<S, A, L> | undefined;
  const seconds = cpuSeconds(() => {
    search = start();
    carryOn(search);
  });
  return { states: search?.set.size ?? 0, steps: search?.transitions ?? 0, seconds };
}

const repeated = <S extends object, A, L>(start: () => Search<S, A, L>): Speed =>
  fastest(Array.from({ length: REPEAT }, () => searchOnce(start)));

/** Spin on the same model, or what is missing. */
export function spinSpeed(size: Size): Speed | string {
  const folder = mkdtempSync(join(tmpdir(), "pkvm-spec-spin-"));
  const shell = (command: string): string | undefined => {
    const { status, stdout, stderr } = spawnSync("bash", ["-c", command], {
      cwd: folder,
      encoding: "utf8",
    });
    return status === 0 ? stdout + stderr : undefined;
  };
  try {
    writeFileSync(join(folder, "lifecycle.pml"), promela(size));
    if (shell("command -v spin") === undefined) return "spin (Debian: apt-get install spin)";
    if (shell("spin -a lifecycle.pml") === undefined) return "a spin that takes the model";
    const compiled = shell("gcc -O3 -DSAFETY -DNOREDUCE -o pan pan.c");
    if (compiled === undefined) return "gcc";
    return fastest(
      Array.from({ length: REPEAT }, () => {
        const text = shell('TIMEFORMAT="cpu %U %S"; time ./pan -m1000000 -w22') ?? "";
        const number = (pattern: RegExp): number => Number(pattern.exec(text)?.[1] ?? 0);
        return {
          states: number(/(\d+) states, stored/),
          steps: number(/(\d+) transitions/),
          seconds: number(/cpu ([\d.]+)/) + number(/cpu [\d.]+ ([\d.]+)/),
        };
      }),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const thousands = (count: number): string => Math.round(count).toLocaleString("en-US");

const row = (name: string, { states, steps, seconds }: Speed): string =>
  [
    name.padEnd(34),
    thousands(states).padStart(10),
    thousands(steps).padStart(11),
    seconds.toFixed(2).padStart(7),
    thousands(states / seconds).padStart(11),
    thousands(steps / seconds).padStart(11),
  ].join("");

const HEAD = `${"".padEnd(34)}    states      steps  cpu s   states/s    steps/s`;

/** The systems that are measured beside Spin: 3 and 4 modules. */
const SIZES: readonly Size[] = [3, 4].map((modules) => ({ modules, calls: 2, vms: 2 }));

/** Measures and prints; 1 when the two disagree about the number of states. */
export function benchSearch(_: number, print: (text: string) => void): number {
  print(HEAD);
  let agree = true;
  for (const size of SIZES) {
    const name = `lifecycle, ${size.modules} modules`;
    const ours = repeated(() => startSearch(createExplorer(lifecycle(size)), false));
    print(row(`${name}, ours`, ours));
    const spin = spinSpeed(size);
    if (typeof spin === "string") {
      print(`${name}, Spin: not measured, missing: ${spin}`);
      continue;
    }
    print(row(`${name}, Spin`, spin));
    if (spin.states !== ours.states) {
      agree = false;
      print(`the two disagree: ${spin.states} and ${ours.states} states`);
    }
    const ratio = ours.states / ours.seconds / (spin.states / spin.seconds);
    print(`ours / Spin: ${ratio.toFixed(2)} (aim: ${AIM})`);
  }
  print("");
  const system = { branch: "android14-6.1", build: "production", documented: false } as const;
  const config = { ...system, cpuCount: 2 };
  const one = { pages: 2, vms: 1, interleaved: false, cpus: 1 };
  print(
    row(
      "pKVM, every rule judged",
      repeated(() => startWorld(config, one)),
    ),
  );
  return agree ? 0 : 1;
}
