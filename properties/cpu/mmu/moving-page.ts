// A translation that moves, for tests of what the TLB keeps of it.

import type { Core } from "../../../cpu/state.ts";
import { executeSys } from "../../../cpu/sysregs/system-instructions.ts";
import { tlbInstructions } from "../../../cpu/sysregs/tables/system-instructions.ts";
import {
  AF,
  MAIR,
  machine,
  NG,
  NORMAL,
  put,
  SCTLR_ON,
  VALID_PAGE,
  VALID_TABLE,
} from "./machine.ts";

const encodings = new Map(tlbInstructions.map(([name, encoding]) => [name, encoding]));

/** Executes a TLBI by name at the current level. */
export function tlbi(core: Core, name: string, value = 0n): void {
  const encoding = encodings.get(`TLBI ${name}`);
  if (encoding === undefined) throw new Error(`no TLBI ${name}`);
  const [op1, CRn, CRm, op2] = encoding.split(" ").map(Number) as [number, number, number, number];
  const result = executeSys(core, op1, CRn, CRm, op2, 31, value);
  if (result !== undefined) throw new Error(`TLBI ${name} did not execute`);
}

/** Executes at EL2 and comes back. */
export function tlbiAtEl2(core: Core, name: string, value = 0n): void {
  const { EL } = core.pstate;
  core.pstate.EL = 2;
  tlbi(core, name, value);
  core.pstate.EL = EL;
}

export const va = 0x12_3456_7000n;
export const entry1 = 0x4000_0000n + 0x48n * 8n;
export const entry2 = 0x4000_1000n + 0x1a2n * 8n;
export const entry3 = 0x4000_2000n + 0x167n * 8n;
export const OLD = 0x4500_0000n;
export const NEW = 0x4500_1000n;
export const page = (output: bigint, bits = 0n) => output | AF | NORMAL | bits | VALID_PAGE;

/** EL1 with ASID 5 and VMID 7; VA 12_3456_7000 goes through three levels to OLD; no stage 2. */
export function world(tlb: "none" | "stale" = "stale", bits = NG): Core {
  const core = machine({
    tlb,
    sysregs: {
      SCTLR_EL1: SCTLR_ON,
      MAIR_EL1: MAIR,
      TCR_EL1: (5n << 32n) | 25n,
      TTBR0_EL1: (5n << 48n) | 0x4000_0000n,
      VTTBR_EL2: 7n << 48n,
    },
  });
  put(core, entry1, 0x4000_1000n | VALID_TABLE);
  put(core, entry2, 0x4000_2000n | VALID_TABLE);
  put(core, entry3, page(OLD, bits));
  put(core, OLD, 0x1dn);
  put(core, NEW, 0xeen);
  return core;
}

export const asid = (number: number): bigint => BigInt(number) << 48n;
export const pageNumber = va >> 12n;
