// Where the values of system registers are kept: an array, with one named property a register.

import type { CpuModel, Features } from "../cpu-model.ts";
import { type SysregName, sysregRows } from "./names.ts";
import type { SysregRules } from "./row.ts";

/** The system registers of one processing element, by Arm's name; 64 bits each. */
export type Sysregs = Record<SysregName, bigint> & {
  /** All values, in the order of the tables. */
  readonly values: BigUint64Array;
  /** Grows when a register that controls translation, permissions or traps is written. */
  generation: number;
};

interface Storage {
  values: BigUint64Array;
  generation: number;
}

const count = sysregRows.length;

/** Reads and writes by name go to the array; the names are the same for all cores. */
const properties: object = Object.defineProperties(
  {},
  Object.fromEntries(
    sysregRows.map(([name, , rules], index) => [
      name,
      rules?.controls === true ? controlProperty(index) : plainProperty(index),
    ]),
  ),
);

function plainProperty(index: number): PropertyDescriptor & ThisType<Storage> {
  return {
    enumerable: true,
    get() {
      return this.values[index];
    },
    set(value: bigint) {
      this.values[index] = value;
    },
  };
}

function controlProperty(index: number): PropertyDescriptor & ThisType<Storage> {
  return {
    ...plainProperty(index),
    set(value: bigint) {
      this.values[index] = value;
      this.generation++;
    },
  };
}

function sysregsOver(values: BigUint64Array, generation: number): Sysregs {
  const sysregs = Object.create(properties);
  sysregs.values = values;
  sysregs.generation = generation;
  return sysregs;
}

const resetValues = new WeakMap<CpuModel, BigUint64Array>();

/** The registers of a core after reset. */
export function createSysregs(cpuModel: CpuModel, mpidr: bigint): Sysregs {
  let values = resetValues.get(cpuModel);
  if (values === undefined) {
    values = computeResetValues(cpuModel);
    resetValues.set(cpuModel, values);
  }
  const sysregs = sysregsOver(values.slice(), 0);
  // Bit 31 of MPIDR_EL1 is one. Source: DDI0487 D24.2.108 MPIDR_EL1.
  sysregs.MPIDR_EL1 = mpidr | (1n << 31n);
  sysregs.VMPIDR_EL2 = sysregs.MPIDR_EL1;
  sysregs.VPIDR_EL2 = sysregs.MIDR_EL1;
  return sysregs;
}

function computeResetValues(cpuModel: CpuModel): BigUint64Array {
  const ids: Readonly<Partial<Record<SysregName, bigint>>> = cpuModel.idRegisters;
  const values = new BigUint64Array(count);
  sysregRows.forEach(([name, , rules], index) => {
    values[index] = ids[name] ?? rules?.reset ?? 0n;
  });
  return values;
}

/** An independent copy. */
export function forkSysregs(sysregs: Sysregs): Sysregs {
  return sysregsOver(sysregs.values.slice(), sysregs.generation);
}

const writable = new Map<CpuModel, Map<SysregName, bigint>>();

/** The bits of a register that a write can change on this processor. */
export function writableBits(name: SysregName, cpuModel: CpuModel): bigint {
  let known = writable.get(cpuModel);
  if (known === undefined) {
    known = new Map(sysregRows.map(([row, , rules]) => [row, bitsOf(rules, cpuModel.features)]));
    writable.set(cpuModel, known);
  }
  return known.get(name) ?? 0n;
}

function bitsOf(rules: SysregRules | undefined, features: Features): bigint {
  let all = rules?.bits ?? 0xffff_ffff_ffff_ffffn;
  for (const [feature, extra] of Object.entries(rules?.bitsWith ?? {})) {
    if (features[feature as keyof Features]) all |= extra;
  }
  return all & ~(rules?.res1 ?? 0n);
}

const ones = new Map(sysregRows.map(([name, , rules]) => [name, rules?.res1 ?? 0n]));

/** The bits of a register that are one whatever is written. */
export function alwaysOne(name: SysregName): bigint {
  return ones.get(name) ?? 0n;
}
