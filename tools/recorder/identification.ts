// Reads the identification registers of QEMU's processor, so that our core can have the same.

import type { CpuModel } from "../../cpu/cpu-model.ts";
import { type IdRegisterName, identification } from "../../cpu/sysregs/tables/identification.ts";
import { BRK_0, LAYOUT } from "./layout.ts";
import { type Recorder, recordVectors } from "./record.ts";
import { EL_MODES, type Vector } from "./vector.ts";

/** MRS X0 of an encoding `op0 op1 CRn CRm op2`. */
function mrsWord(encoding: string): number {
  const [op0, op1, CRn, CRm, op2] = encoding.split(" ").map(Number);
  const fields = (op0! << 19) | (op1! << 16) | (CRn! << 12) | (CRm! << 8) | (op2! << 5);
  return (0xd520_0000 | fields) >>> 0;
}

function readingVector(encoding: string, slot: number, csselr = 0n): Vector {
  const pc = BigInt(LAYOUT.SLOTS + 16 * slot);
  return {
    ...{ entry: "identification", mode: "step", el: "EL2h", configuration: "el2-off" },
    ...{ words: [mrsWord(encoding), BRK_0], pc, pa: pc, pstate: EL_MODES.EL2h | 0x1c0 },
    ...{ x: new BigUint64Array(31), sp: [0n, 0n, 0n], memory: [] },
    settings: new Map([["CSSELR_EL1", csselr]]),
    tags: false,
  };
}

const CCSIDR_EL1 = "3 1 0 0 0";
/** Values of CSSELR_EL1: data and instruction caches of three levels. */
const CACHES = [0, 1, 2, 3, 4, 5];

/**
 * The processor of ours that should do what QEMU's does; a register that QEMU lacks reads as zero.
 */
export function identifiedModel(recorder: Recorder): CpuModel {
  const { cpuModel } = recorder.harness.oracle;
  const { recorded } = recordVectors(recorder, [
    ...identification.map(([, encoding], slot) => readingVector(encoding, slot)),
    ...CACHES.map((csselr) => readingVector(CCSIDR_EL1, 1000 + csselr, BigInt(csselr))),
  ]);
  const values = recorded.map(({ outcome }) =>
    outcome.exception === undefined ? outcome.x[0]! : 0n,
  );
  const read = identification.map(([name], i): [IdRegisterName, bigint] => [name, values[i]!]);
  const caches = CACHES.map((csselr, i) => [csselr, values[identification.length + i]!] as const);
  return {
    ...cpuModel,
    idRegisters: { ...cpuModel.idRegisters, ...Object.fromEntries(read) },
    cacheSizes: Object.fromEntries(caches),
  };
}
