// Pointer authentication: signing, authenticating and stripping addresses.

import { EC, type Exception, synchronous } from "../../exceptions/exception.ts";
import { pointerAuthenticationTrap } from "../../exceptions/generate.ts";
import { generalTarget } from "../../exceptions/route.ts";
import { controlsOf, rangeOf, stage1Of } from "../../mmu/regime.ts";
import type { Stage1Range } from "../../mmu/walk-parameters.ts";
import type { Core } from "../../state.ts";
import { flag } from "../../sysregs/fields.ts";
import { computePAC } from "./qarma5.ts";

/** The five keys: their registers, and where in SCTLR_ELx each is enabled. */
const keys = {
  IA: { high: "APIAKeyHi_EL1", low: "APIAKeyLo_EL1", enable: 31, data: false, number: 0n },
  IB: { high: "APIBKeyHi_EL1", low: "APIBKeyLo_EL1", enable: 30, data: false, number: 1n },
  DA: { high: "APDAKeyHi_EL1", low: "APDAKeyLo_EL1", enable: 27, data: true, number: 0n },
  DB: { high: "APDBKeyHi_EL1", low: "APDBKeyLo_EL1", enable: 13, data: true, number: 1n },
} as const;

type Key = (typeof keys)[keyof typeof keys];

/** SCTLR_ELx of the regime that the current level belongs to. */
function enabled(core: Core, key: Key): boolean {
  const { regime } = stage1Of(controlsOf(core), core.pstate.EL);
  const sctlr = regime === "EL1&0" ? core.sysreg.SCTLR_EL1 : core.sysreg.SCTLR_EL2;
  return flag(sctlr, key.enable);
}

/** The range of addresses that bit 55 selects. */
function rangeFor(core: Core, bit55: bigint): Stage1Range {
  return rangeOf(stage1Of(controlsOf(core), core.pstate.EL), bit55 << 55n);
}

const ignoresTop = (range: Stage1Range, data: boolean): boolean =>
  data ? range.tbiData : range.tbiInstruction;

/** Bits 63 and down to 0 of a mask: `count` ones from `low` up. */
const ones = (low: number, end: number): bigint => (1n << BigInt(end)) - (1n << BigInt(low));

/**
 * The lowest bit of the code: the size of the range. CHOICE: a TnSZ that is out of range counts
 * as the nearest one in range. Source: DDI0487 aarch64/functions/pac/calcbottompacbit.
 */
function bottomPACBit(core: Core, range: Stage1Range): number {
  const smallest = core.cpuModel.features.TTST ? (range.granuleBits === 16 ? 17 : 16) : 25;
  return Math.min(Math.max(range.inputBits, smallest), 48);
}

/** The bit that says which range the signed address belongs to; it is kept in bit 55. */
function selectBit(core: Core, pointer: bigint, data: boolean): bigint {
  const { lower, upper } = stage1Of(controlsOf(core), core.pstate.EL);
  const ignored = ignoresTop(lower, data) || (upper !== undefined && ignoresTop(upper, data));
  return (pointer >> (ignored ? 55n : 63n)) & 1n;
}

/** An address with the bits from `bottom` up to bit 55 or 63 replaced by copies of one bit. */
function extend(pointer: bigint, bottom: number, tbi: boolean, bit: bigint): bigint {
  const field = ones(bottom, tbi ? 56 : 64);
  return (pointer & ~field) | (bit === 1n ? field : 0n);
}

/** Source: DDI0487 aarch64/functions/pac/addpac. */
function addPAC(core: Core, pointer: bigint, modifier: bigint, key: Key): bigint {
  const tbi = ignoresTop(rangeFor(core, (pointer >> 55n) & 1n), key.data);
  const selected = selectBit(core, pointer, key.data);
  const bottom = bottomPACBit(core, rangeFor(core, selected));
  const extended = extend(pointer, bottom, tbi, selected);
  const { [key.high]: high, [key.low]: low } = core.sysreg;
  let code = computePAC(extended, modifier, high, low);
  const top = tbi ? 55 : 63;
  const field = ones(bottom, top + 1);
  const isCanonical = (pointer & field) === 0n || (pointer & field) === field;
  // An address that was not canonical gets a code that will not authenticate.
  if (core.cpuModel.features.PAuth2) code ^= pointer;
  else if (!isCanonical) code ^= 1n << BigInt(top - 1);
  const inserted = ones(bottom, 55) | (tbi ? 0n : ones(56, 64));
  return (pointer & ~inserted & ~(1n << 55n)) | (code & inserted) | (selected << 55n);
}

/** An address without its code, and the code's bits. */
function canonical(core: Core, pointer: bigint, data: boolean) {
  const bit55 = (pointer >> 55n) & 1n;
  const range = rangeFor(core, bit55);
  const tbi = ignoresTop(range, data);
  const bottom = bottomPACBit(core, range);
  const codeBits = ones(bottom, 55) | (tbi ? 0n : ones(56, 64));
  return { address: extend(pointer, bottom, tbi, bit55), codeBits, tbi };
}

/**
 * The address where the code is right. Elsewhere: with FEAT_FPAC an exception; with FEAT_PAuth2 the
 * difference stays in the address; else the address is made non-canonical, with the number of the
 * key in two of its upper bits. Source: DDI0487 aarch64/functions/pac/auth.
 */
function auth(core: Core, pointer: bigint, modifier: bigint, key: Key, combined: number) {
  const { address, codeBits, tbi } = canonical(core, pointer, key.data);
  const { [key.high]: high, [key.low]: low } = core.sysreg;
  const code = computePAC(address, modifier, high, low);
  const { PAuth2, FPAC, FPACCOMBINE } = core.cpuModel.features;
  // What is xored into the upper bits is the code and, where the address is high, ones.
  const expected = PAuth2 ? code ^ address : code;
  const wrong = (expected ^ pointer) & codeBits;
  if (wrong === 0n) return address;
  if (combined === 1 ? FPACCOMBINE : FPAC) {
    const syndrome = (key.data ? 2 : 0) | Number(key.number);
    return synchronous(generalTarget(core), EC.PACFail, syndrome);
  }
  if (PAuth2) return address ^ wrong;
  const error = (key.number << 1n) | (1n - key.number);
  const low2 = tbi ? 53n : 61n;
  return (address & ~(3n << low2)) | (error << low2);
}

type Signing = (core: Core, pointer: bigint, modifier: bigint) => bigint | Exception;
type Authentication = (
  core: Core,
  pointer: bigint,
  modifier: bigint,
  combined: number,
) => bigint | Exception;

/** Nothing happens while the key is disabled. Source: AddPACIA and its kin. */
function signing(key: Key): Signing {
  return (core, pointer, modifier) => {
    if (!enabled(core, key)) return pointer;
    return pointerAuthenticationTrap(core) ?? addPAC(core, pointer, modifier, key);
  };
}

/** Nothing happens while the key is disabled. Source: AuthIA and its kin. */
function authentication(key: Key): Authentication {
  return (core, pointer, modifier, combined) => {
    if (!enabled(core, key)) return pointer;
    return pointerAuthenticationTrap(core) ?? auth(core, pointer, modifier, key, combined);
  };
}

/**
 * The generic code: the upper half of the cipher's result, under the key that is always enabled.
 */
function AddPACGA(core: Core, value: bigint, modifier: bigint): bigint | Exception {
  const trap = pointerAuthenticationTrap(core);
  if (trap !== undefined) return trap;
  const { APGAKeyHi_EL1, APGAKeyLo_EL1 } = core.sysreg;
  return computePAC(value, modifier, APGAKeyHi_EL1, APGAKeyLo_EL1) & ones(32, 64);
}

/** Removes the code of a data (1) or instruction (0) address. */
function Strip(core: Core, pointer: bigint, data: number): bigint {
  return canonical(core, pointer, data === 1).address;
}

export const pauthFunctions = {
  AddPACIA: signing(keys.IA),
  AddPACIB: signing(keys.IB),
  AddPACDA: signing(keys.DA),
  AddPACDB: signing(keys.DB),
  AddPACGA,
  AuthIA: authentication(keys.IA),
  AuthIB: authentication(keys.IB),
  AuthDA: authentication(keys.DA),
  AuthDB: authentication(keys.DB),
  Strip,
};
