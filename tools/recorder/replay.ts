// Runs a vector on our core, the way the harness runs it in QEMU: by software step, up to EL2.

import { noGates, run, type Stop } from "../../cpu/core.ts";
import type { CpuModel } from "../../cpu/cpu-model.ts";
import { spsrOf } from "../../cpu/exceptions/pstate.ts";
import {
  createMemory,
  forkMemory,
  type Memory,
  type Page,
  pageForRead,
  readTag,
  writeBytes,
  writePhysical,
  writeTag,
} from "../../cpu/memory.ts";
import { resetCore } from "../../cpu/reset.ts";
import type { Core, El } from "../../cpu/state.ts";
import { type SysregName, sysregNames } from "../../cpu/sysregs/names.ts";
import { codeCells, type RawResult } from "./batch-format.ts";
import { HARNESS_LIMITS, LAYOUT, windowPattern, windowTag } from "./layout.ts";
import type { ObservedRegister } from "./observed-registers.ts";
import { readOutcome } from "./outcome.ts";
import { type Cell, comparedSpsr, type Outcome, type Settings, type Vector } from "./vector.ts";

/** The machine of a recording, on our side. */
export interface ReplayMachine {
  readonly cpuModel: CpuModel;
  /** As the harness finds it. */
  readonly memory: Memory;
  readonly registers: readonly ObservedRegister[];
  /** The values of all observed registers before a vector that sets none. */
  readonly base: Settings;
  readonly configurations: ReadonlyMap<string, Settings>;
}

/** Either what became of the vector, or why the core stopped on the way. */
export type Replayed = { readonly outcome: Outcome } | { readonly stop: Stop };

const PC_STEP_BUDGET = 4;
const PROGRAM_BUDGET = 100_000;
const SS = 1 << 21;

/** All vectors of both tables of the harness. */
const el2Vectors = new Set(
  Array.from({ length: 32 }, (_, i) => BigInt(LAYOUT.HARNESS_TEXT + 0x80 * i)),
);
const gates = { ...noGates, el2: el2Vectors };

/** Memory as every vector finds it; `tables` are the doublewords of the translation tables. */
export function createReplayMemory(tables: Iterable<Cell>): Memory {
  const ram = { base: BigInt(LAYOUT.RAM_BASE), sizeBytes: BigInt(LAYOUT.RAM_BYTES) };
  const memory = createMemory([ram]);
  writeBytes(memory, BigInt(LAYOUT.WINDOW), new Uint8Array(windowPattern().buffer));
  for (const [address, value] of tables) writePhysical(memory, address, 8, value);
  const hvc = BigInt(0xd400_0002 | (HARNESS_LIMITS.EL1_HVC << 5));
  for (let i = 0; i < 16; i++)
    writePhysical(memory, BigInt(LAYOUT.VBAR_EL1_BASE + 0x80 * i), 4, hvc);
  for (let granule = 0; granule < LAYOUT.WINDOW_BYTES / 16; granule++)
    writeTag(memory, BigInt(LAYOUT.WINDOW + 16 * granule), windowTag(granule));
  return memory;
}

function setPstate(core: Core, spsr: number): void {
  const bit = (position: number) => (spsr >>> position) & 1;
  Object.assign(core.pstate, {
    ...{ N: bit(31), Z: bit(30), C: bit(29), V: bit(28), TCO: bit(25), DIT: bit(24) },
    ...{ UAO: bit(23), PAN: bit(22), SS: bit(21), IL: bit(20), SSBS: bit(12) },
    ...{ BTYPE: (spsr >>> 10) & 3, D: bit(9), A: bit(8), I: bit(7), F: bit(6) },
    ...{ EL: ((spsr >>> 2) & 3) as El, SP: bit(0) },
  });
}

const knownNames: ReadonlySet<string> = new Set(sysregNames);

const isSysregName = (name: string): name is SysregName => knownNames.has(name);

/** The observed registers that our core has too. */
function knownRegisters(machine: ReplayMachine): readonly SysregName[] {
  return machine.registers.map(({ name }) => name).filter(isSysregName);
}

/** All values before the vector: base, then configuration, then the vector's own. */
export function settingsBefore(
  machine: Pick<ReplayMachine, "base" | "configurations">,
  vector: Vector,
): (name: string) => bigint {
  const configuration = machine.configurations.get(vector.configuration);
  if (configuration === undefined) throw new Error(`no configuration ${vector.configuration}`);
  return (name) =>
    vector.settings.get(name) ?? configuration.get(name) ?? machine.base.get(name) ?? 0n;
}

function startCore(machine: ReplayMachine, vector: Vector, memory: Memory): Core {
  const core = resetCore(machine.cpuModel, memory, 0n);
  const before = settingsBefore(machine, vector);
  for (const name of knownRegisters(machine)) core.sysreg[name] = before(name);
  const spsr = vector.pstate | (vector.mode === "step" ? SS : 0);
  // The harness enters by ERET.
  core.sysreg.ELR_EL2 = vector.pc;
  core.sysreg.SPSR_EL2 = BigInt(spsr >>> 0);
  core.x.set(vector.x);
  core.sp.set(vector.sp);
  core.pc = vector.pc;
  setPstate(core, spsr);
  return core;
}

/** Doublewords of pages that are no longer the ones of `original`. */
function changedCells(
  memory: Memory,
  original: Memory,
  poked: ReadonlyMap<bigint, bigint>,
): Cell[] {
  const cells: Cell[] = [];
  for (const [chunkIndex, chunk] of memory.chunks) {
    if (chunk.owner !== memory.owner) continue;
    chunk.pages.forEach((page, i) => {
      if (page === undefined || page.owner !== memory.owner) return;
      const frame = chunkIndex * chunk.pages.length + i;
      compareCells(page, pageForRead(original, frame), BigInt(frame) << 12n, poked, cells);
    });
  }
  return cells.sort(([a], [b]) => (a < b ? -1 : 1));
}

function compareCells(
  page: Page,
  original: Page | undefined,
  base: bigint,
  poked: ReadonlyMap<bigint, bigint>,
  cells: Cell[],
): void {
  for (let offset = 0; offset < page.bytes.length; offset += 8) {
    const value = page.view.getBigUint64(offset, true);
    const address = base + BigInt(offset);
    const before = poked.get(address) ?? original?.view.getBigUint64(offset, true);
    if (value !== before) cells.push([address, value]);
  }
}

function changedTags(memory: Memory): Cell[] {
  const cells: Cell[] = [];
  for (let granule = 0; granule < LAYOUT.WINDOW_BYTES / 16; granule++) {
    const address = BigInt(LAYOUT.WINDOW + 16 * granule);
    const tag = readTag(memory, address);
    if (tag !== windowTag(granule)) cells.push([address, BigInt(tag)]);
  }
  return cells;
}

/** Runs the vector and says what the harness would have seen. */
export function replay(machine: ReplayMachine, vector: Vector): Replayed {
  const original = machine.memory;
  const memory = forkMemory(original);
  const cells = vector.pa === undefined ? [] : codeCells(vector.pa, vector.words);
  const poked = new Map([...cells, ...vector.memory]);
  for (const [address, value] of poked) writePhysical(memory, address, 8, value);
  const core = startCore(machine, vector, memory);
  const budget = vector.mode === "step" ? PC_STEP_BUDGET : PROGRAM_BUDGET;
  let stop = run(core, { budget, gates });
  // WFE may wait or not; QEMU does not.
  if (stop.kind === "wait" && stop.instruction === "WFE") stop = run(core, { budget, gates });
  if (stop.kind !== "gate") return { stop };
  const before = settingsBefore(machine, vector);
  const raw: RawResult = {
    x: core.x,
    sp: [core.sp[0]!, core.sp[1]!, core.sp[2]!],
    elr: core.sysreg.ELR_EL2,
    spsr: comparedSpsr(core.sysreg.SPSR_EL2),
    pstate: comparedSpsr(spsrOf(core.pstate)),
    vector: Number((stop.address - BigInt(LAYOUT.HARNESS_TEXT)) / 0x80n) % 16,
    settings: new BigUint64Array(0),
    registers: machine.registers.flatMap(({ name }, i): Cell[] =>
      isSysregName(name) && core.sysreg[name] !== before(name)
        ? [[BigInt(i), core.sysreg[name]]]
        : [],
    ),
    memory: changedCells(memory, original, poked),
    tags: vector.tags ? changedTags(memory) : [],
  };
  return { outcome: readOutcome(vector, raw, machine.registers, before) };
}
