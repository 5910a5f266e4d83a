// One machine: memory, cores, translation tables, the kernel's allocators, and the gates.

import { createCore, forkCores } from "../../cpu/core.ts";
import { type CpuModel, cortexA76 } from "../../cpu/cpu-model.ts";
import { createMemory, type Memory } from "../../cpu/memory.ts";
import type { TlbMode } from "../../cpu/mmu/tlb.ts";
import type { Core } from "../../cpu/state.ts";
import type { Branch } from "../../spec/branches/branch.ts";
import type { HypVa } from "../../spec/types/address.ts";
import { type AddressArea, createArea } from "../kernel/exported/address-area.ts";
import { createHeap, forkHeap, type Heap } from "../kernel/exported/heap.ts";
import {
  createPageAllocator,
  forkPageAllocator,
  type PageAllocator,
} from "../kernel/exported/page-allocator.ts";
import type { HostStage2, PhysicalRange } from "../pgtable/host-stage2.ts";
import type { PhysicalMemory, TablePool } from "../pgtable/physical.ts";
import type { TranslationTable } from "../pgtable/table.ts";
import { buildTables } from "./build.ts";
import { createGates, type GateTable } from "./gates.ts";
import {
  CPU_MAX,
  FREE_FRAMES,
  HOST_STAGE2_ROOT,
  HYP_POOL,
  HYP_STAGE1_ROOT,
  KERNEL_TABLES_BYTES,
  KERNEL_TABLES_PA,
  linearOffset,
  MEMORY_END,
  MEMORY_START,
  MODULE_AREA,
  MODULE_OPS,
  VMALLOC_AREA,
} from "./layout.ts";
import { physicalMemory } from "./physical-memory.ts";
import { createPl011, type Pl011 } from "./pl011.ts";
import { startKernel } from "./registers.ts";

/** The machine. Mutable: one run owns it, and forks it to try something else. */
export interface Machine {
  readonly branch: Branch;
  readonly cores: readonly Core[];
  readonly memory: Memory;
  /** The same memory as the page-table code sees it. */
  readonly physical: PhysicalMemory;
  readonly kernelTable: TranslationTable;
  readonly hypTable: TranslationTable;
  readonly hostStage2: HostStage2;
  readonly kernelPool: TablePool;
  readonly hypPool: TablePool;
  readonly pages: PageAllocator;
  readonly heap: Heap;
  readonly moduleArea: AddressArea;
  readonly vmallocArea: AddressArea;
  gates: GateTable;
  /** The serial port. */
  readonly uart: Pl011;
  /** Where EL2 keeps struct pkvm_module_ops. */
  readonly opsTable: HypVa;
}

/** What can differ from the measured machine. */
export interface MachineOptions {
  readonly cpuModel?: CpuModel;
  /** The guest firmware's region, which the kernel does not map. */
  readonly firmware?: PhysicalRange;
  /** `stale`: every translation is kept until a TLBI, so that a forgotten one shows. */
  readonly tlb?: TlbMode;
}

/**
 * The memblocks: memory, with the firmware's region as one of its own. Source: memblock,
 * kvm_hyp_reserve.
 */
function memblocks(firmware: PhysicalRange | undefined): readonly PhysicalRange[] {
  if (firmware === undefined) return [{ start: MEMORY_START, end: MEMORY_END }];
  return [
    { start: MEMORY_START, end: firmware.start },
    firmware,
    { start: firmware.end, end: MEMORY_END },
  ];
}

/**
 * A machine right after kvm_arm_init in protected mode: translation on at EL1 and EL2, the host's
 * stage 2 built and
 * switched off, the hypervisor's own pages marked.
 */
export function createMachine(
  branch: Branch,
  cpuCount: number,
  options: MachineOptions = {},
): Machine {
  if (cpuCount < 1 || cpuCount > CPU_MAX) {
    throw new RangeError(`${cpuCount} CPUs: between 1 and ${CPU_MAX} are modelled`);
  }
  const uart = createPl011();
  const memory = createMemory(
    [{ base: MEMORY_START, sizeBytes: MEMORY_END - MEMORY_START }],
    [uart],
  );
  const cpuModel = options.cpuModel ?? cortexA76;
  const cores = Array.from({ length: cpuCount }, (_, cpu) =>
    createCore(cpuModel, memory, BigInt(cpu)),
  );
  const machine: Machine = {
    branch,
    cores,
    memory,
    physical: physicalMemory(memory),
    kernelTable: { root: KERNEL_TABLES_PA, inputBits: branch.layout.vaBits },
    hypTable: { root: HYP_STAGE1_ROOT, inputBits: branch.layout.vaBits },
    hostStage2: {
      table: { root: HOST_STAGE2_ROOT, inputBits: 40 },
      memory: memblocks(options.firmware),
    },
    // The root and the empty TTBR0 table come first.
    kernelPool: {
      next: KERNEL_TABLES_PA + 0x2000n,
      end: KERNEL_TABLES_PA + KERNEL_TABLES_BYTES,
    },
    hypPool: { next: HYP_POOL.first, end: HYP_POOL.end },
    pages: createPageAllocator(FREE_FRAMES.first, FREE_FRAMES.end),
    heap: createHeap(linearOffset(branch)),
    moduleArea: createArea(MODULE_AREA.start, MODULE_AREA.end),
    vmallocArea: createArea(VMALLOC_AREA.start, VMALLOC_AREA.end),
    gates: createGates(branch),
    uart,
    opsTable: MODULE_OPS,
  };
  buildTables(machine, options.firmware);
  for (const [cpu, core] of cores.entries()) {
    startKernel(core, cpu, branch.layout.vaBits);
    core.tlb.mode = options.tlb ?? "none";
  }
  return machine;
}

/**
 * An independent copy, in microseconds: memory is copied page by page when one of the two writes
 * it.
 */
export function forkMachine(machine: Machine): Machine {
  const cores = forkCores(machine.cores);
  const { memory } = cores[0]!;
  return {
    ...machine,
    cores,
    memory,
    physical: physicalMemory(memory),
    uart: memory.devices[0] as Pl011,
    kernelPool: { ...machine.kernelPool },
    hypPool: { ...machine.hypPool },
    pages: forkPageAllocator(machine.pages),
    heap: forkHeap(machine.heap),
    moduleArea: { ...machine.moduleArea },
    vmallocArea: { ...machine.vmallocArea },
  };
}
