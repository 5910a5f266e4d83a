// The firmware below the measured machines: QEMU's PSCI by SMC, and nothing else.

import { PSCI, PSCI_RET } from "../../spec/smccc.ts";
import type { Hyp } from "../../spec/types/hyp.ts";

/** What the firmware does with an SMC; an answer changes x0 and no other register. */
export type FirmwareAnswer =
  | { readonly kind: "answers"; readonly x0: bigint }
  /** CPU_ON: the CPU leaves reset. */
  | { readonly kind: "starts"; readonly cpu: number }
  | { readonly kind: "off"; readonly what: "CPU_OFF" | "SYSTEM_OFF" | "SYSTEM_RESET" };

/** 1.1. Source: measured, base. */
const PSCI_VERSION_1_1 = 0x1_0001n;
/** No trusted OS that has to migrate. Source: measured, base. */
const TOS_NOT_MIGRATED = 2n;

/** The calls that it also knows in their 32-bit form, which pKVM does not relay. */
const IN_32_BITS: ReadonlyMap<bigint, bigint> = new Map([
  [0x8400_0001n, PSCI.CPU_SUSPEND],
  [0x8400_0003n, PSCI.CPU_ON],
  [0x8400_0004n, PSCI.AFFINITY_INFO],
]);

/**
 * What FEATURES knows, 32-bit forms of 64-bit calls included. Source: measured, base: CPU_ON and
 * CPU_SUSPEND 0, 0x12345 -1; the others derived from what the firmware answers.
 */
const FEATURES: ReadonlySet<bigint> = new Set<bigint>([
  PSCI.VERSION,
  PSCI.CPU_SUSPEND,
  PSCI.CPU_OFF,
  PSCI.CPU_ON,
  PSCI.AFFINITY_INFO,
  PSCI.MIGRATE_INFO_TYPE,
  PSCI.SYSTEM_OFF,
  PSCI.SYSTEM_RESET,
  PSCI.FEATURES,
  ...IN_32_BITS.keys(),
]);

/** Affinity levels and power-down states are not known. Source: derived, QEMU 7.2, no trace. */
const DEEPER_THAN_STANDBY = 0xfffe_0000n;

const x0 = (value: bigint): FirmwareAnswer => ({ kind: "answers", x0: value });

type Known = Pick<Hyp, "psci" | "config">;

/** The CPU of an MPIDR: 0 and up. Source: measured, machines: MPIDR 0 and 1. */
const cpuOf = ({ config }: Known, mpidr: bigint): number | undefined =>
  mpidr < BigInt(config.cpuCount) ? Number(mpidr) : undefined;

function affinityInfo(hyp: Known, mpidr: bigint, level: bigint): FirmwareAnswer {
  if (level !== 0n) return x0(0n); // Everything above one CPU is on.
  const cpu = cpuOf(hyp, mpidr);
  if (cpu === undefined) return x0(PSCI_RET.INVALID_PARAMETERS);
  if (hyp.psci.power[cpu] === "on") return x0(0n);
  return x0(hyp.psci.booting[cpu] === undefined ? 1n : 2n);
}

function cpuOn(hyp: Known, mpidr: bigint): FirmwareAnswer {
  const cpu = cpuOf(hyp, mpidr);
  if (cpu === undefined) return x0(PSCI_RET.INVALID_PARAMETERS);
  if (hyp.psci.power[cpu] === "on") return x0(PSCI_RET.ALREADY_ON);
  if (hyp.psci.booting[cpu] !== undefined) return x0(PSCI_RET.ON_PENDING);
  return { kind: "starts", cpu };
}

/**
 * Answers an SMC that nobody above the firmware kept.
 * Source: measured, base on five kernels: items 31 and 42; CPU_OFF, SYSTEM_OFF and SYSTEM_RESET as
 * PSCI says, with no trace.
 */
export function firmware(hyp: Known, x: readonly bigint[]): FirmwareAnswer {
  const [asked = 0n, x1 = 0n, x2 = 0n] = x;
  switch (IN_32_BITS.get(asked) ?? asked) {
    case PSCI.VERSION:
      return x0(PSCI_VERSION_1_1);
    case PSCI.MIGRATE_INFO_TYPE:
      return x0(TOS_NOT_MIGRATED);
    case PSCI.FEATURES:
      return x0(FEATURES.has(x1) ? 0n : PSCI_RET.NOT_SUPPORTED);
    case PSCI.AFFINITY_INFO:
      return affinityInfo(hyp, x1, x2);
    case PSCI.CPU_ON:
      return cpuOn(hyp, x1);
    case PSCI.CPU_SUSPEND:
      // It waits for an interrupt, and there is always one that is coming.
      return x0((x1 & DEEPER_THAN_STANDBY) === 0n ? 0n : PSCI_RET.INVALID_PARAMETERS);
    case PSCI.CPU_OFF:
      return { kind: "off", what: "CPU_OFF" };
    case PSCI.SYSTEM_OFF:
      return { kind: "off", what: "SYSTEM_OFF" };
    case PSCI.SYSTEM_RESET:
      return { kind: "off", what: "SYSTEM_RESET" };
    default:
      return x0(PSCI_RET.NOT_SUPPORTED);
  }
}
