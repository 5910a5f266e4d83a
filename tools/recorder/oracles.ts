// The processors of QEMU that vectors are recorded on, and which features they have.

import { type CpuModel, cortexA76, max } from "../../cpu/cpu-model.ts";

/** A processor of QEMU, and the processor of ours that should do the same. */
export interface Oracle {
  readonly name: string;
  /** The argument of `-cpu`. */
  readonly cpu: string;
  /** What `-M virt` needs beyond `virtualization=on`. */
  readonly machine: string;
  readonly cpuModel: CpuModel;
}

function oracle(name: string, cpu: string, machine: string, changes: Partial<CpuModel>): Oracle {
  return { name, cpu, machine, cpuModel: { ...max, ...changes, name } };
}

export const ORACLES = {
  /** Armv8.5 without fine-grained traps and without what came later: the one for most vectors. */
  n2: oracle("neoverse-n2", "neoverse-n2,sve=off,pauth-qarma5=on", ",mte=on", {
    features: { ...max.features, FGT: false },
  }),
  /** Pointer authentication without faults at once; and much of Armv8.5 is absent. */
  v1: oracle("neoverse-v1", "neoverse-v1,sve=off,pauth-qarma5=on", "", {
    features: {
      ...max.features,
      ...{ FPAC: false, FPACCOMBINE: false, MTE2: false, BTI: false, FGT: false, FlagM2: false },
      ...{ SB: false, SPECRES: false, E0PD: false, TLBIOS: false, TLBIRANGE: false, TTL: false },
    },
  }),
  /** Armv8.2, as the traces of pKVM ran on. */
  a76: oracle("cortex-a76", "cortex-a76", "", cortexA76),
  /** Everything that QEMU has. */
  max: oracle("max", "max,sve=off,sme=off,pauth-qarma5=on", ",mte=on", {}),
} as const;

export type OracleName = keyof typeof ORACLES;
