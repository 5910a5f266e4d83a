// A core with memory in which tests build translation tables by hand.

import type { AccessDescriptor } from "../../../cpu/bits/access-descriptor.ts";
import { type CpuModel, max } from "../../../cpu/cpu-model.ts";
import type { Fault } from "../../../cpu/exceptions/exception.ts";
import { type AccessSize, createMemory, writePhysical } from "../../../cpu/memory.ts";
import { readMem } from "../../../cpu/mmu/access.ts";
import type { TlbMode } from "../../../cpu/mmu/tlb.ts";
import { resetCore } from "../../../cpu/reset.ts";
import type { Core, El } from "../../../cpu/state.ts";
import type { SysregName } from "../../../cpu/sysregs/names.ts";

/** Memory is 4000_0000 to 47ff_ffff, and 1 MiB at the top of 40 bits. */
const regions = [
  { base: 0x4000_0000n, sizeBytes: 0x800_0000n },
  { base: 0xff_fff0_0000n, sizeBytes: 0x10_0000n },
];

export interface Setup {
  readonly cpuModel?: CpuModel;
  readonly el?: El;
  readonly tlb?: TlbMode;
  readonly sysregs?: Partial<Record<SysregName, bigint>>;
}

/** A core at an Exception level (EL1 unless said otherwise), with these registers. */
export function machine({ cpuModel = max, el = 1, tlb = "none", sysregs = {} }: Setup = {}): Core {
  const core = resetCore(cpuModel, createMemory(regions), 0n, tlb);
  core.pstate.EL = el;
  core.pstate.SP = el === 0 ? 0 : 1;
  set(core, sysregs);
  return core;
}

/** Sets system registers. */
export function set(core: Core, values: Partial<Record<SysregName, bigint>>): void {
  for (const [name, value] of Object.entries(values)) core.sysreg[name as SysregName] = value;
}

/** Writes a 64-bit value to physical memory. */
export function put(core: Core, pa: bigint, value: bigint): void {
  if (!writePhysical(core.memory, pa, 8, value)) throw new Error(`no memory at ${pa.toString(16)}`);
}

/** Descriptor bits, by Arm's names. */
export const VALID_TABLE = 0b11n;
export const VALID_PAGE = 0b11n;
export const VALID_BLOCK = 0b01n;
export const AF = 1n << 10n;
export const NG = 1n << 11n;
export const AP1 = 1n << 6n;
export const AP2 = 1n << 7n;
export const GP = 1n << 50n;
export const DBM = 1n << 51n;
export const CONTIGUOUS = 1n << 52n;
export const PXN = 1n << 53n;
export const UXN = 1n << 54n;
export const PXN_TABLE = 1n << 59n;
export const UXN_TABLE = 1n << 60n;
export const AP_TABLE_NO_EL0 = 1n << 61n;
export const AP_TABLE_READ_ONLY = 1n << 62n;
/** Stage 2. */
export const S2_READ = 1n << 6n;
export const S2_WRITE = 1n << 7n;
/** MemAttr: Normal, write-back in both caches. */
export const S2_NORMAL = 0b1111n << 2n;
export const S2_DEVICE = 0n;
export const attrIndex = (index: number): bigint => BigInt(index) << 2n;

/** MAIR: 0 Device-nGnRnE, 1 Normal write-back, 2 Normal non-cacheable, 3 Tagged. */
export const MAIR = 0xf044_ff00n;
export const NORMAL = attrIndex(1);

/** SCTLR_ELx with the MMU on and nothing else but RES1 bits. */
export const SCTLR_ON = 0x30d0_0801n;

/** A plain load or store of an element of `sizeBytes`. */
export function plain(
  sizeBytes: number,
  differs: Partial<AccessDescriptor> = {},
): AccessDescriptor {
  return {
    unprivileged: false,
    ordered: false,
    atomic: false,
    alignBytes: sizeBytes,
    tagChecked: true,
    syndrome: 0,
    ...differs,
  };
}

/** A load, as a value or as a fault. */
export function load(core: Core, va: bigint, sizeBytes: AccessSize = 8): bigint | Fault {
  return readMem(core, va, sizeBytes, plain(sizeBytes));
}

/** EC and fault status code of a fault, in words that are easy to compare. */
export function summary(result: bigint | number | Fault | undefined): string {
  if (typeof result !== "object") return `value ${result?.toString(16)}`;
  const hex = (value: number) => value.toString(16).padStart(2, "0");
  return `EL${result.target} ec ${hex(result.ec)} fsc ${hex(result.iss & 0x3f)}`;
}
