// Values that handlers of modules are called with: edges of words and pages, places, constants.

import { contentsOf, type ElfFile, sectionNamed } from "../../model/elf/read.ts";
import { PVMFW_FIRST } from "../../model/initial.ts";
import { kernelLinear } from "../../model/machine/layout.ts";
import { hypLinear } from "../../model/pgtable/hyp-stage1.ts";
import type { Branch } from "../../spec/branches/branch.ts";
import { branchOf } from "../../spec/branches/branches.ts";
import { addressOf, PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import { PROT } from "../../spec/types/module.ts";

/** A page of the host that an exploration shares and unshares; the one after it stays plain. */
export const HOST_PAGE_PA = 0x5000_0000n;

/** The ways to name a page of a branch: frame number, physical, EL2 and EL1 linear address. */
const namesOf = (branch: Branch, pa: bigint): readonly bigint[] => [
  pa >> PAGE_SHIFT,
  pa,
  hypLinear(pa),
  kernelLinear(branch, pa),
];

/** Edges of counts, sizes and signs. */
const SMALL: readonly bigint[] = [
  ...[0n, 1n, 2n, 3n, 4n, 7n, 8n, 9n, 15n, 16n, 17n, 31n, 32n, 33n, 63n, 64n, 65n],
  ...[127n, 128n, 255n, 256n, 257n, 511n, 512n, 4088n, 4095n, 4096n, 4097n, 8192n],
];
const LARGE: readonly bigint[] = [
  ...[0xffffn, 0x1_0000n, 0x7fff_ffffn, 0x8000_0000n, 0xffff_ff80n, 0xffff_ffffn],
  ...[1n << 32n, 1n << 52n, (1n << 52n) + 1n, 1n << 63n, (1n << 64n) - 8n, (1n << 64n) - 1n],
];

/** A word that compares a register with an immediate: SUBS or ADDS, Rd 31. Source: DDI0487 C4. */
function comparedImmediate(word: number): bigint | undefined {
  if ((word & 0x3f80_001f) !== 0x3100_001f) return undefined;
  const value = BigInt((word >>> 10) & 0xfff);
  return (word & 0x40_0000) === 0 ? value : value << 12n;
}

/** A 32-bit or 64-bit constant that MOVZ, MOVN and MOVK put together, word after word. */
function* moved(words: readonly number[]): Generator<bigint> {
  const registers = new Map<number, bigint>();
  for (const word of words) {
    if ((word & 0x1f80_0000) !== 0x1280_0000) continue;
    const [opc, register] = [(word >>> 29) & 3, word & 31];
    const shift = BigInt((word >>> 21) & 3) * 16n;
    const part = BigInt((word >>> 5) & 0xffff) << shift;
    const bits = word >>> 31 === 1 ? 64 : 32;
    const kept = (registers.get(register) ?? 0n) & ~(0xffffn << shift);
    const value = opc === 3 ? kept | part : opc === 0 ? ~part : part;
    const whole = BigInt.asUintN(bits, value);
    registers.set(register, whole);
    yield whole;
  }
}

/** NON-SPEC: switches of up to so many cases are tried case by case. */
const CASES_MAX = 64n;

/** Constants that the EL2 code of a module compares with or makes, and their neighbours. */
export function minedConstants(elf: ElfFile): readonly bigint[] {
  const section = sectionNamed(elf, ".hyp.text");
  if (section === undefined) return [];
  const bytes = contentsOf(elf, section);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const words = Array.from({ length: bytes.length >> 2 }, (_, n) => view.getUint32(4 * n, true));
  const compared = words.flatMap((word) => comparedImmediate(word) ?? []);
  const bound = compared
    .filter((value) => value <= CASES_MAX)
    .reduce((a, b) => (a > b ? a : b), 0n);
  const cases = Array.from({ length: Number(bound) + 1 }, (_, n) => BigInt(n));
  const around = [...compared, ...moved(words)].flatMap((value) => [value - 1n, value, value + 1n]);
  return [...new Set([...cases, ...around].map((value) => BigInt.asUintN(64, value)))];
}

/** The first page of data of each module, and one of its code where it has no data. */
const modulePages = ({ modules }: Hyp): readonly Pfn[] =>
  [...modules.values()].flatMap(({ sections }) => {
    const data = sections.find(({ prot, pfns }) => (prot & PROT.W) !== 0 && pfns.length > 0);
    return (data ?? sections.find(({ pfns }) => pfns.length > 0))?.pfns.slice(0, 1) ?? [];
  });

/** A page that only a guest has, if there is one. */
const guestPages = ({ pages }: Hyp): readonly Pfn[] =>
  [...pages]
    .flatMap(([page, { owner, host }]) => (owner === "GUEST" && host === "NOPAGE" ? [page] : []))
    .slice(0, 1);

/** Pages of each owner: the host's, one the exploration shares, the hypervisor's, the modules'. */
function placesOf(hyp: Hyp): readonly bigint[] {
  const branch = branchOf(hyp.config);
  const own = modulePages(hyp);
  const seen = [...hyp.el2.mappings].filter(([, mapping]) => own.includes(mapping.pfn));
  const { regionBytes } = hyp.firmware;
  const firmware = regionBytes === 0 ? [] : namesOf(branch, addressOf(PVMFW_FIRST)).slice(1, 3);
  return [
    ...namesOf(branch, HOST_PAGE_PA),
    ...namesOf(branch, HOST_PAGE_PA + PAGE_SIZE),
    ...namesOf(branch, HOST_PAGE_PA + PAGE_SIZE - 8n).slice(1),
    ...namesOf(branch, addressOf(pfn(branch.layout.carveOut.last))),
    ...seen.map(([va]) => va),
    ...[...own, ...guestPages(hyp)].flatMap((page) => namesOf(branch, addressOf(page))),
    ...firmware,
  ];
}

/** What is tried in an argument register, likeliest first. */
export interface CallValues {
  readonly small: readonly bigint[];
  readonly places: readonly bigint[];
  readonly large: readonly bigint[];
  readonly mined: readonly bigint[];
}

/** The values for a state, once the constants of the modules are known. */
export function callValues(elves: readonly ElfFile[]): (hyp: Hyp) => CallValues {
  const mined = elves.flatMap(minedConstants).filter((value) => !SMALL.includes(value));
  return (hyp) => ({ small: SMALL, places: [...new Set(placesOf(hyp))], large: LARGE, mined });
}

/** All of them, each once. */
export const allValues = ({ small, places, large, mined }: CallValues): readonly bigint[] => [
  ...new Set([...small, ...places, ...mined, ...large]),
];
