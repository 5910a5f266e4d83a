// What x0 of an HVC names: a registered hypercall, an entry of the table, or nothing.

import type { Branch } from "../../spec/branches/branch.ts";
import type { HypVa } from "../../spec/types/address.ts";

/**
 * KVM_HOST_SMCCC_ID(0): fast call, SMC64, vendor-specific hypervisor service. Source: SMCCC 1.3,
 * section 2.5.
 */
export const HOST_SMCCC_BASE = 0xc600_0000n;

/**
 * The SVE hint of SMCCC 1.3, bit 16 of the function id. Source: ARM_SMCCC_CALL_HINTS,
 * linux/arm-smccc.h.
 */
export const CALL_HINTS = 1n << 16n;

/** What a stub vector answers to a call it does not know. Source: HVC_STUB_ERR, asm/virt.h. */
export const HVC_STUB_ERR = 0xbadca11n;

/** How the dispatcher reads x0. */
export type Decoded =
  /** A registered hypercall; its handler may be NULL. */
  | { readonly kind: "dynamic"; readonly index: number; readonly handler: HypVa }
  /** The dynamic path takes it although nothing is registered there. */
  | { readonly kind: "unregistered"; readonly index: number }
  | { readonly kind: "static"; readonly index: number; readonly name: string }
  | { readonly kind: "empty slot" }
  | { readonly kind: "beyond the table" };

const u64 = (value: bigint): bigint => BigInt.asUintN(64, value);

/**
 * The index among the registered hypercalls: the difference to the base is cut to an int, so that
 * only the low 32 bits
 * of it count. Source: handle_host_dynamic_hcall, hyp/nvhe/modules.c; measured trace mod-ok, ids
 * 0x1c6000080.
 */
function dynamicIndex(branch: Branch, x0: bigint): number {
  if (branch.dynamicBase === undefined) return -1;
  const id = branch.hintMaskedBeforeDynamic ? x0 & ~CALL_HINTS : x0;
  const difference = BigInt.asIntN(32, id - HOST_SMCCC_BASE);
  return Number(BigInt.asIntN(32, difference - BigInt(branch.dynamicBase)));
}

/**
 * Decodes x0.
 * Source: handle_host_hcall, hyp/nvhe/hyp-main.c; handle_host_dynamic_hcall, hyp/nvhe/modules.c.
 */
export function decode(branch: Branch, dynamicHcalls: readonly HypVa[], x0: bigint): Decoded {
  // 1. Registered hypercalls come first, before any test of privilege.
  const index = dynamicIndex(branch, x0);
  if (index >= 0) {
    const handler = dynamicHcalls[index];
    const taken = branch.unknownDynamicId === "answered NOT_SUPPORTED";
    if (handler !== undefined && (handler !== 0n || taken)) {
      return { kind: "dynamic", index, handler };
    }
    if (taken) return { kind: "unregistered", index };
  }
  // 2. The table compares all 64 bits; index 0 is empty. Where there are dynamic ids and the hint
  // is not removed before them, a hinted id does not come this far.
  const id = u64((branch.hintMaskedBeforeDynamic ? x0 & ~CALL_HINTS : x0) - HOST_SMCCC_BASE);
  if (id === 0n) return { kind: "empty slot" };
  const name = id < BigInt(branch.hcalls.length) ? branch.hcalls[Number(id)] : undefined;
  if (name === undefined) return { kind: "beyond the table" };
  return { kind: "static", index: Number(id), name };
}
