// Addresses that the model owns: the machine stops there and the model acts in place of the code.

import type { Gates } from "../../cpu/core.ts";
import type { Branch } from "../../spec/branches/branch.ts";
import { type HypVa, hypVa, type KernVa, kernVa } from "../../spec/types/address.ts";
import { EXPORTED_FUNCTIONS, pkvmFunctions } from "../kernel/exported/exported.ts";
import {
  GATE_BYTES,
  HYP_OPS_GATES,
  HYP_RETURN_GATE,
  HYP_VECTORS,
  KERNEL_GATES,
  KERNEL_RETURN_GATE,
  KERNEL_VECTORS,
} from "./layout.ts";
import { STUB_ENDS } from "./stubs.ts";

/** What reaching a gate means. */
export type Gate =
  /**
   * Entry of a vector table: an exception was taken. `offset` as in DDI0487 D1.3, Exception
   * vectors.
   */
  | { readonly kind: "vector"; readonly offset: number }
  /** What was called by the model returns. */
  | { readonly kind: "return" }
  | { readonly kind: "kernel function"; readonly name: string }
  | { readonly kind: "op"; readonly name: string };

/** The gates of one machine at both levels, and the addresses of the kernel functions by name. */
export interface GateTable {
  readonly el1: ReadonlyMap<bigint, Gate>;
  readonly el2: ReadonlyMap<bigint, Gate>;
  readonly functions: ReadonlyMap<string, KernVa>;
  /** The addresses alone, as the core wants them. */
  readonly stops: Gates;
}

function gateTable(
  el1: ReadonlyMap<bigint, Gate>,
  el2: ReadonlyMap<bigint, Gate>,
  functions: ReadonlyMap<string, KernVa>,
): GateTable {
  return { el1, el2, functions, stops: { el1: new Set(el1.keys()), el2: new Set(el2.keys()) } };
}

const VECTOR_BYTES = 0x80;
const VECTORS = 16;

function* vectors(base: bigint): Generator<[bigint, Gate]> {
  for (let index = 0; index < VECTORS; index++) {
    const offset = index * VECTOR_BYTES;
    yield [base + BigInt(offset), { kind: "vector", offset }];
  }
}

/** The gate of the n-th kernel function. */
const functionGate = (n: number): KernVa => kernVa(KERNEL_GATES + BigInt(n) * GATE_BYTES);

/** The gate that a slot of struct pkvm_module_ops points to. */
export const opGate = (slot: number): HypVa => hypVa(HYP_OPS_GATES + BigInt(slot) * GATE_BYTES);

/**
 * The ops that a branch has, with their slots: reserved slots and those it leaves NULL have none.
 */
export const presentOps = (branch: Branch): readonly { slot: number; op: string }[] =>
  branch.ops.flatMap(({ slot, op }) =>
    op === undefined || branch.nullOps.includes(op) ? [] : [{ slot, op }],
  );

/** The gates of a machine right after its start. */
export function createGates(branch: Branch): GateTable {
  const names = [...EXPORTED_FUNCTIONS.keys(), ...pkvmFunctions(branch)];
  const functions = new Map(names.map((name, n) => [name, functionGate(n)]));
  const el1 = new Map<bigint, Gate>(vectors(KERNEL_VECTORS));
  for (const end of STUB_ENDS) el1.set(end, { kind: "return" });
  el1.set(KERNEL_RETURN_GATE, { kind: "return" });
  for (const [name, address] of functions) el1.set(address, { kind: "kernel function", name });
  const el2 = new Map<bigint, Gate>(vectors(HYP_VECTORS));
  el2.set(HYP_RETURN_GATE, { kind: "return" });
  for (const { slot, op } of presentOps(branch)) el2.set(opGate(slot), { kind: "op", name: op });
  return gateTable(el1, el2, functions);
}

/** The gates with more kernel functions. */
export function withFunctions(gates: GateTable, names: Iterable<string>): GateTable {
  const el1 = new Map(gates.el1);
  const functions = new Map(gates.functions);
  for (const name of names) {
    const address = functionGate(functions.size);
    el1.set(address, { kind: "kernel function", name });
    functions.set(name, address);
  }
  return gateTable(el1, gates.el2, functions);
}
