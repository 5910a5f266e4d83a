// The kernel that exported functions work on: its memory is reached through the core's own
// translation.

import type { AccessDescriptor } from "../../cpu/bits/access-descriptor.ts";
import type { Fault } from "../../cpu/exceptions/exception.ts";
import { readBytes, writeBytes } from "../../cpu/memory.ts";
import { probeWrite, readMem } from "../../cpu/mmu/access.ts";
import type { Kernel, KernelMemory, KernelStop } from "../kernel/exported/kernel.ts";
import { touch } from "../pgtable/host-stage2.ts";
import type { Ran } from "./answers.ts";
import { kernelPa, mapKernelPage, unmapKernelPage } from "./kernel-memory.ts";
import type { Machine } from "./machine.ts";

/** A plain load or store of one byte: all of a page is readable and writable alike. */
export const PLAIN: AccessDescriptor = {
  unprivileged: false,
  ordered: false,
  atomic: false,
  alignBytes: 1,
  tagChecked: false,
  syndrome: 0,
};

/** Thrown when an access of a kernel function faults; `fault` is the exception to take. */
export interface AccessStop extends KernelStop {
  readonly fault: Fault;
}

const accessStop = (va: bigint, fault: Fault): AccessStop => ({
  kernelStop: "fault",
  what: `access to 0x${va.toString(16)}`,
  fault,
});

/** Memory as the kernel on a CPU reaches it: stage 1, and the host's stage 2 once that is on. */
export function kernelMemory(machine: Machine, cpu: number): KernelMemory {
  const core = machine.cores[cpu]!;
  const check = (va: bigint, attempt: () => Fault | undefined): bigint => {
    let fault = attempt();
    // The tables of stage 1 are touched as well: each turn maps something, so this ends.
    while (fault !== undefined && mappedAtFirstTouch(machine, fault)) fault = attempt();
    if (fault !== undefined) throw accessStop(va, fault);
    return kernelPa(machine, va)!;
  };
  return {
    read(va, lengthBytes) {
      const pa = check(va, () => {
        const value = readMem(core, va, 1, PLAIN);
        return typeof value === "object" ? value : undefined;
      });
      return readBytes(machine.memory, pa, lengthBytes)!;
    },
    write(va, bytes) {
      const pa = check(va, () => probeWrite(core, va, 1, PLAIN));
      writeBytes(machine.memory, pa, bytes);
    },
  };
}

/** Whether a stage 2 fault of the host only met an empty entry, which is filled now. */
function mappedAtFirstTouch(machine: Machine, { hpfar }: Fault): boolean {
  if (hpfar === undefined) return false;
  return (
    touch(machine.physical, machine.hypPool, machine.hostStage2, ipaOf(hpfar)).kind === "mapped"
  );
}

/**
 * The page of the faulting intermediate address: bits 47:12 in HPFAR_EL2[43:4]. Source: DDI0487
 * D24.2.58 HPFAR_EL2.
 */
export const ipaOf = (hpfar: bigint): bigint => (hpfar & 0xf_ffff_ffff_fff0n) << 8n;

/**
 * What became of the kernel when a function of it, which no code called, did not come back: its
 * loader on a pointer of
 * the module's that leads nowhere.
 */
export function exceptionOf(
  machine: Machine,
  cpu: number,
  { what, fault }: KernelStop,
): Exclude<Ran, { kind: "returned" }> {
  const exception = fault as Fault | undefined;
  if (exception === undefined || exception.target === 2) return { kind: "unmodelled", what };
  const { ec, iss, far } = exception;
  return {
    kind: "exception",
    el: 1,
    esr: BigInt(((ec << 26) | (1 << 25) | iss) >>> 0),
    elr: machine.cores[cpu]!.pc,
    far: far ?? 0n,
    entered: "inside",
    lr: machine.cores[cpu]!.x[30]!,
    instructions: 0,
  };
}

/** What a kernel function needs besides memory. */
export interface KernelHooks {
  readonly print: (level: number | undefined, text: string) => void;
  readonly call: (address: bigint, args: readonly bigint[]) => bigint;
}

/** The kernel as a function on a CPU sees it. */
export function kernelOf(machine: Machine, cpu: number, hooks: KernelHooks): Kernel {
  return {
    memory: kernelMemory(machine, cpu),
    pages: machine.pages,
    heap: machine.heap,
    vmalloc: machine.vmallocArea,
    mapPage: (va, frame) => mapKernelPage(machine, va, frame, "rw"),
    unmapPage: (va) => unmapKernelPage(machine, va),
    frameAt: (va) => {
      const pa = kernelPa(machine, va);
      return pa === undefined ? undefined : Number(pa >> 12n);
    },
    print: hooks.print,
    call: hooks.call,
  };
}
