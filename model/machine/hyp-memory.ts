// Memory as code at EL2 reaches it, for ops that are given pointers.

import type { Fault } from "../../cpu/exceptions/exception.ts";
import { readBytes, writeBytes } from "../../cpu/memory.ts";
import { probeWrite, readMem } from "../../cpu/mmu/access.ts";
import type { Core } from "../../cpu/state.ts";
import { pieces } from "../kernel/exported/kernel.ts";
import { type Found, findLeaf, translate } from "../pgtable/table.ts";
import { PLAIN } from "./kernel.ts";
import type { Machine } from "./machine.ts";

/** Runs a check as EL2 on a core that may be elsewhere. */
function asHyp<T>(core: Core, check: () => T): T {
  const { EL } = core.pstate;
  core.pstate.EL = 2;
  const result = check();
  core.pstate.EL = EL;
  return result;
}

/** Bytes at an EL2 address, or the abort that reading them takes. */
export function readHyp(
  machine: Machine,
  cpu: number,
  va: bigint,
  lengthBytes: number,
): Uint8Array | Fault {
  const core = machine.cores[cpu]!;
  const result = new Uint8Array(lengthBytes);
  let done = 0;
  for (const [at, size] of pieces(va, lengthBytes)) {
    const checked = asHyp(core, () => readMem(core, at, 1, PLAIN));
    if (typeof checked === "object") return checked;
    const pa = translate(machine.physical, machine.hypTable, at)!;
    result.set(readBytes(machine.memory, pa, size)!, done);
    done += size;
  }
  return result;
}

/**
 * Writes bytes at an EL2 address, or gives the abort that it takes; the pages before it are
 * written.
 */
export function writeHyp(
  machine: Machine,
  cpu: number,
  va: bigint,
  bytes: Uint8Array,
): Fault | undefined {
  const core = machine.cores[cpu]!;
  let done = 0;
  for (const [at, size] of pieces(va, bytes.length)) {
    const fault = asHyp(core, () => probeWrite(core, at, 1, PLAIN));
    if (fault !== undefined) return fault;
    const pa = translate(machine.physical, machine.hypTable, at)!;
    writeBytes(machine.memory, pa, bytes.subarray(done, done + size));
    done += size;
  }
  return undefined;
}

/**
 * The entry of the host's stage 2 that decides about an address. Source: kvm_pgtable_get_leaf,
 * hyp/pgtable.c.
 */
export const hostLeaf = (machine: Machine, pa: bigint): Found =>
  findLeaf(machine.physical, machine.hostStage2.table, pa);
