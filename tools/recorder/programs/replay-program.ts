// Runs a program on our core, as the harness runs it in QEMU.

import { noGates, run, type Stop } from "../../../cpu/core.ts";
import { modeOf, restoreExtensions, restoreFlags } from "../../../cpu/exceptions/pstate.ts";
import { forkMemory, type Memory, readBytes, writePhysical } from "../../../cpu/memory.ts";
import { resetCore } from "../../../cpu/reset.ts";
import type { Core } from "../../../cpu/state.ts";
import type { Assembled } from "./batch.ts";
import { DUMPED, PLACES, PROGRAM_ORACLE, SETTINGS } from "./machine.ts";
import type { Outcome } from "./program.ts";

/** What became of the program, or why our core did not come to its end. */
export type Replayed =
  | { readonly outcome: Outcome; readonly instructions: number }
  | { readonly stop: Stop };

/** More than any program takes: 1,000 exceptions and five rounds of loops in loops. */
const BUDGET = 200_000;

const gates = { ...noGates, el2: new Set([BigInt(PLACES.CATCH)]) };

function startCore({ program }: Assembled, memory: Memory): Core {
  const { cpuModel } = PROGRAM_ORACLE;
  const core = resetCore(cpuModel, memory, 0n);
  for (const [name, value] of SETTINGS) core.sysreg[name] = value;
  const spsr = BigInt(program.pstate);
  Object.assign(core.sysreg, { SCTLR_EL2: BigInt(PLACES.TRANSLATED) });
  restoreFlags(core.pstate, spsr, cpuModel.features);
  restoreExtensions(core.pstate, spsr, cpuModel.features);
  Object.assign(core.pstate, modeOf(spsr));
  core.x.set(program.x);
  core.sp.set(program.sp);
  core.pc = BigInt(PLACES.CODE);
  // The harness enters by ERET.
  core.sysreg.ELR_EL2 = core.pc;
  core.sysreg.SPSR_EL2 = spsr;
  return core;
}

function doublewords(memory: Memory, at: number, sizeBytes: number): BigUint64Array {
  const bytes = readBytes(memory, BigInt(at), sizeBytes);
  if (bytes === undefined) throw new Error("no memory where the data is");
  return new BigUint64Array(bytes.slice().buffer);
}

function outcomeOf(core: Core): Outcome {
  const { DATA_PA, DATA_BYTES, LOG, LOG_BYTES } = PLACES;
  const data = doublewords(core.memory, DATA_PA, DATA_BYTES);
  const log = doublewords(core.memory, LOG, LOG_BYTES);
  return {
    x: core.x.slice(),
    sp: core.sp.slice(),
    settings: new Map(DUMPED.map((name) => [name, core.sysreg[name]])),
    memory: BigUint64Array.from([...data, ...log]),
  };
}

/** Runs a program on a copy of `original`, the memory of `createProgramMemory`. */
export function replayProgram(original: Memory, assembled: Assembled): Replayed {
  const memory = forkMemory(original);
  assembled.words.forEach((word, i) => {
    writePhysical(memory, BigInt(PLACES.CODE + 4 * i), 4, BigInt(word));
  });
  const core = startCore(assembled, memory);
  const stop = run(core, { budget: BUDGET, gates });
  if (stop.kind !== "gate") return { stop };
  return { outcome: outcomeOf(core), instructions: core.retired };
}
