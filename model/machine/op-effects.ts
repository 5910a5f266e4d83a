// What a module op does to memory beside the abstract state: entries that it reads, bytes that it
// moves, pages that it maps for a moment.

import { undefinedInstruction } from "../../cpu/exceptions/generate.ts";
import { addressOf } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PAGE_HYP } from "../../spec/types/module.ts";
import { protectionOf } from "../ownership/protect.ts";
import { isMemoryPage, pagesOf } from "../ownership/range.ts";
import { HOST_MEMORY_PROT, hostStage2Attributes, hypAttributes } from "../pgtable/attributes.ts";
import { leaf, OUTPUT_ADDRESS } from "../pgtable/descriptor.ts";
import { setHostPage } from "../pgtable/host-stage2.ts";
import { writeLeaf } from "../pgtable/table.ts";
import type { Answer } from "./answers.ts";
import { hostLeaf, readHyp, writeHyp } from "./hyp-memory.ts";
import { fixmapSlot } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { invalidateHostStage2, invalidateHyp } from "./tlb.ts";

/** One call of an op, and the value that its step answered. */
export interface OpCall {
  readonly cpu: number;
  readonly op: string;
  readonly args: readonly bigint[];
  readonly value: bigint;
  /** The state after the step. */
  readonly hyp: Hyp;
}

type Called = OpCall & { readonly machine: Machine };

const PAGE_MASK = 0xfffn;

const at = ({ args }: Called, n: number): bigint => args[n] ?? 0n;

/** A number in memory order. */
function littleEndian(value: bigint, bytes: number): Uint8Array {
  return Uint8Array.from({ length: bytes }, (_, n) => Number((value >> BigInt(8 * n)) & 0xffn));
}

/** *ptep and *level of host_stage2_get_leaf. */
function getLeaf(called: Called): Answer | undefined {
  const { machine, cpu, value } = called;
  if (value !== 0n) return undefined;
  const { entry, level } = hostLeaf(machine, at(called, 0));
  const fault =
    writeHyp(machine, cpu, at(called, 1), littleEndian(entry, 8)) ??
    writeHyp(machine, cpu, at(called, 2), littleEndian(BigInt(level), 4));
  return fault === undefined ? undefined : { kind: "fault", fault };
}

/** *haddr of create_private_mapping: the offset in the page is kept. */
function privateAddress(called: Called): Answer | undefined {
  const { machine, cpu, value, hyp } = called;
  if (value !== 0n) return undefined;
  const base = hyp.el2.reservations.at(-1)?.base ?? 0n;
  const va = base + (at(called, 0) & PAGE_MASK);
  const fault = writeHyp(machine, cpu, at(called, 3), littleEndian(va, 8));
  return fault === undefined ? undefined : { kind: "fault", fault };
}

/**
 * A page that is given back whole is mapped at once, also where nobody has touched it.
 * Source: module_change_host_page_prot: host_stage2_idmap_locked; measured, ops-inrange: 0x7ff.
 */
function mapAgain({ machine, op, args, value }: Called): undefined {
  const { range, prot } = protectionOf({ op, args });
  if (value !== 0n || prot !== BigInt(HOST_MEMORY_PROT)) return;
  for (const page of pagesOf(range)) {
    if (!isMemoryPage(page)) continue;
    const pa = addressOf(page);
    const entry = leaf(pa, 3, hostStage2Attributes(HOST_MEMORY_PROT));
    setHostPage(machine.physical, machine.hypPool, machine.hostStage2, page, entry);
    invalidateHostStage2(machine, pa);
  }
}

/** Writes the slot of this CPU. Source: fixmap_map, fixmap_unmap: hyp_fixmap_map, hyp/nvhe/mm.c. */
function setFixmap({ machine, cpu }: Called, entry: bigint): bigint {
  const va = fixmapSlot(cpu);
  writeLeaf(machine.physical, machine.hypPool, machine.hypTable, { address: va, level: 3 }, entry);
  return va;
}

/**
 * hyp_fixmap_map(phys): nobody asks whose page it is, and nothing is invalidated.
 */
function fixmapMap(called: Called): Answer {
  const phys = at(called, 0);
  const va = setFixmap(called, leaf(phys & OUTPUT_ADDRESS, 3, hypAttributes(PAGE_HYP)));
  return { kind: "value", x0: va + (phys & PAGE_MASK) };
}

function fixmapUnmap(called: Called): undefined {
  invalidateHyp(called.machine, setFixmap(called, 0n));
}

const CHUNK = 4096n;

/** Moves bytes in pieces, so that a length without end stops where the memory does. */
function inChunks(
  { machine, cpu, args }: Called,
  bytesFrom: (done: bigint, length: number) => ReturnType<typeof readHyp>,
): Answer | undefined {
  const [to = 0n, , size = 0n] = args;
  for (let done = 0n; done < size; done += CHUNK) {
    const length = Number(size - done < CHUNK ? size - done : CHUNK);
    const bytes = bytesFrom(done, length);
    if (!(bytes instanceof Uint8Array)) return { kind: "fault", fault: bytes };
    const fault = writeHyp(machine, cpu, BigInt.asUintN(64, to + done), bytes);
    if (fault !== undefined) return { kind: "fault", fault };
  }
  return undefined;
}

const copy = (called: Called): Answer | undefined =>
  inChunks(called, (done, length) =>
    readHyp(called.machine, called.cpu, BigInt.asUintN(64, at(called, 1) + done), length),
  );

const fill = (called: Called): Answer | undefined =>
  inChunks(called, (_, length) => new Uint8Array(length).fill(Number(at(called, 1) & 0xffn)));

/** HFGWTR_EL2 of this CPU; one without FEAT_FGT does not know the register. */
function writeHfgwtr({ machine, cpu, hyp }: Called): Answer | undefined {
  const core = machine.cores[cpu]!;
  if (!core.cpuModel.features.FGT) return { kind: "fault", fault: undefinedInstruction(core) };
  core.sysreg.HFGWTR_EL2 = hyp.controls[cpu]?.hfgwtr ?? 0n;
  return undefined;
}

const EFFECTS: Readonly<Record<string, (called: Called) => Answer | undefined>> = {
  create_private_mapping: privateAddress,
  host_stage2_get_leaf: getLeaf,
  host_stage2_mod_prot: mapAgain,
  host_stage2_mod_prot_range: mapAgain,
  fixmap_map: fixmapMap,
  fixmap_unmap: fixmapUnmap,
  memcpy: copy,
  memset: fill,
  update_hfgwtr_el2: writeHfgwtr,
};

/** Does what an op does to memory; its answer, where that is not the step's. */
export const opEffect = (machine: Machine, call: OpCall): Answer | undefined =>
  EFFECTS[call.op]?.({ machine, ...call });
