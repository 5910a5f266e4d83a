// What it costs to have a machine: a copy of one that is running, and a new one.

import { createCore, forkCores, noGates, run } from "../../../cpu/core.ts";
import { max } from "../../../cpu/cpu-model.ts";
import { createMemory, writeBytes, writePhysical } from "../../../cpu/memory.ts";
import { createMachine, forkMachine } from "../../../model/machine/machine.ts";
import { ANDROID14_6_1 } from "../../../spec/branches/android14-6.1.ts";
import { checksumText, runKernel } from "./kernels.ts";

/** Microseconds of one operation: the median of many, and the worst of the best 99 %. */
export interface Cost {
  readonly what: string;
  readonly median: number;
  readonly percentile99: number;
  /** What is aimed at, in microseconds. */
  readonly aim: number;
}

const ROUNDS = 2000;
const WARM_UP = 500;
const MEGABYTE = 1n << 20n;
const PAGE = 4096n;
const ADD_X0_X0_1 = 0x91000400;

function measure(what: string, aim: number, operation: () => void): Cost {
  for (let i = 0; i < WARM_UP; i++) operation();
  const times = Float64Array.from({ length: ROUNDS }, () => {
    const start = process.hrtime.bigint();
    operation();
    return Number(process.hrtime.bigint() - start) / 1000;
  }).sort();
  const at = (share: number): number => times[Math.floor(ROUNDS * share)] ?? 0;
  return { what, median: at(0.5), percentile99: at(0.99), aim };
}

/** A machine of two cores with 1 MiB of written memory; forked, and forked then written. */
function forks(): Cost[] {
  const { core } = runKernel(0, 1, { budget: 1_000_000 });
  const { memory } = core;
  createCore(core.cpuModel, memory, 1n);
  for (let page = 0n; page < MEGABYTE / PAGE; page++)
    writePhysical(memory, 0x5000_0000n + page * PAGE, 8, page);
  const { cores } = memory;
  return [
    measure("fork of a machine: 2 cores, 1 MiB in use", 20, () => {
      forkCores(cores);
    }),
    measure("fork of it, and a write to each of 4 pages", 20, () => {
      const copy = forkCores(cores)[0]?.memory;
      if (copy === undefined) throw new Error("a machine without cores");
      for (let page = 0n; page < 4n; page++) writePhysical(copy, 0x5000_0000n + page * PAGE, 8, 1n);
    }),
  ];
}

/** The pKVM machine right after kvm_arm_init, its tables built. */
function forkOfHost(): Cost {
  const machine = createMachine(ANDROID14_6_1, 2);
  return measure("fork of the pKVM machine: 2 CPUs", 20, () => {
    forkMachine(machine);
  });
}

/** A new machine that executes a hundred instructions which are new to its memory. */
function fresh(): Cost {
  const code = new Uint8Array(new Uint32Array(100).fill(ADD_X0_X0_1).buffer);
  return measure("fresh machine, and 100 instructions", 50, () => {
    const memory = createMemory([{ base: 0x4000_0000n, sizeBytes: MEGABYTE }]);
    writeBytes(memory, 0x4000_0000n, code);
    const core = createCore(max, memory, 0n);
    core.pc = 0x4000_0000n;
    run(core, { budget: 100, gates: noGates });
    if (core.x[0] !== 100n) throw new Error(`x0 is ${checksumText(core.x[0] ?? 0n)}`);
  });
}

export const startCosts = (): readonly Cost[] => [...forks(), forkOfHost(), fresh()];
