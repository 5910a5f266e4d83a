// What the calls of a run have reached: everything that is listed here must be there at the end.

import { branchOf } from "../../spec/branches/branches.ts";
import { errnoName } from "../../spec/types/errno.ts";
import { MACHINE, SYSTEM } from "./debian-machine.ts";
import { FATAL } from "./directed.ts";
import { DYNAMIC_IDS, ID_BASE, ID_END, SHARE, UNSHARE } from "./hypercall-ids.ts";
import type { Call } from "./script.ts";
import type { Observed } from "./session.ts";

/** How often each thing was reached. */
export type Coverage = Map<string, number>;

const { layout } = branchOf(SYSTEM);
const PFN_BITS = 52;
const MEMORY = { first: 0x4_0000n, last: 0x7_ffffn };
const STAGE2_PAGES = 1n << 28n;
const PSCI = new Map([
  [0x8400_0000n, "PSCI_VERSION"],
  [0x8400_000an, "PSCI_FEATURES"],
  [0xc400_0004n, "AFFINITY_INFO"],
  [0xc400_0003n, "CPU_ON"],
  [0x8400_0006n, "MIGRATE_INFO_TYPE"],
]);

/** What kind of page a pfn names, after the shift has dropped its upper bits. */
function kindOfPage(word: bigint): string {
  const pfn = BigInt.asUintN(PFN_BITS, word);
  const aliased = pfn === word ? "" : "upper bits that are dropped, ";
  if (pfn === (1n << BigInt(PFN_BITS)) - 1n) return "the end overflows";
  if (pfn >= STAGE2_PAGES) return `${aliased}out of range`;
  if (pfn >= BigInt(layout.carveOut.first) && pfn <= BigInt(layout.carveOut.last)) {
    return `${aliased}the hypervisor's`;
  }
  return `${aliased}${pfn >= MEMORY.first && pfn <= MEMORY.last ? "memory" : "MMIO or nothing"}`;
}

/** Which id an HVC had. */
function kindOfId(id: bigint): string {
  if (id >> 32n !== 0n) return "id with upper bits";
  const number = Number(id);
  if (number >= ID_BASE && number < ID_END) return `id ${number - ID_BASE}`;
  if (number >= ID_END && number < DYNAMIC_IDS.first) return "ids past the end";
  if (number >= DYNAMIC_IDS.first && number < DYNAMIC_IDS.end) return "dynamic ids";
  return "ids of others";
}

/** What an SMC asked for. */
function kindOfSmc(id: bigint): string {
  const psci = PSCI.get(id);
  if (psci !== undefined) return psci;
  const number = id & 0xff00_ffffn;
  return (id & 0xbf00_0000n) === 0x8400_0000n && (number & 0xffn) >= 0x60n ? "FF-A" : "another SMC";
}

/** `page` of share and unshare as a number; the pool's pages are memory. */
function pageWord({ args }: Call): bigint {
  const number = (args[0] ?? "0").replace(/P(?:\+[0-7](?![0-9a-fx]))?/, String(MEMORY.first));
  return number.split("+").reduce((sum, token) => sum + BigInt(token), 0n);
}

function reachedByHvc(step: Call, { live }: Observed): readonly string[] {
  const id = BigInt(step.id);
  const reached = [`HVC on CPU ${step.cpu}`, `HVC: ${kindOfId(id)}`];
  if (step.imm !== 0) reached.push("HVC: immediate other than 0");
  const name = new Map([
    [SHARE, "share"],
    [UNSHARE, "unshare"],
  ]).get(Number(id));
  if (name === undefined) return reached;
  reached.push(`${name}: ${kindOfPage(pageWord(step))}`);
  if (live.kind === "registers") {
    const result = Number(BigInt.asIntN(64, live.x[1] ?? 0n));
    reached.push(`${name}: ${errnoName(result)}`);
  }
  return reached;
}

/** What one step reached. */
export function reachedBy(observed: Observed): readonly string[] {
  const { step, live } = observed;
  switch (step.op) {
    case "hvc":
      return reachedByHvc(step, observed);
    case "smc":
      return [`SMC on CPU ${step.cpu}`, `SMC: ${kindOfSmc(BigInt(step.id))}`];
    case "host-read":
      return live.kind === "ended" ? [] : [`load on CPU ${step.cpu}`];
    case "host-write":
      return live.kind === "ended" ? [] : [`store on CPU ${step.cpu}`];
  }
}

const PAGES = [
  ...["memory", "the hypervisor's", "MMIO or nothing", "out of range", "the end overflows"],
  "upper bits that are dropped, memory",
];

/**
 * Everything that a run must reach. Errors of share and unshare: those of 6.1 that do not need a VM
 * (a pin, -EBUSY) and do not empty the hypervisor's memory (-ENOMEM).
 */
export const WANTED: readonly string[] = [
  ...Array.from({ length: ID_END - ID_BASE }, (_, n) => `HVC: id ${n}`),
  ...["ids past the end", "dynamic ids", "id with upper bits", "ids of others"].map(
    (kind) => `HVC: ${kind}`,
  ),
  "HVC: immediate other than 0",
  ...["share", "unshare"].flatMap((name) => [
    ...["0", "-EPERM", "-EINVAL", "-ERANGE"].map((answer) => `${name}: ${answer}`),
    ...PAGES.map((kind) => `${name}: ${kind}`),
  ]),
  ...[...PSCI.values(), "FF-A", "another SMC"].map((kind) => `SMC: ${kind}`),
  ...["HVC", "SMC", "load", "store"].flatMap((what) =>
    Array.from({ length: MACHINE.cpus }, (_, cpu) => `${what} on CPU ${cpu}`),
  ),
  ...FATAL.map(({ name }) => `fatal: ${name}`),
];

export function count(coverage: Coverage, reached: readonly string[]): void {
  for (const name of reached) coverage.set(name, (coverage.get(name) ?? 0) + 1);
}

/** What was wanted and never reached. */
export const missing = (coverage: Coverage): readonly string[] =>
  WANTED.filter((name) => !coverage.has(name));
