// Who has secrets from the host and where they lie: what a taint comparison gives other values.

import { branchOf, vmsOf } from "../../spec/branches/branches.ts";
import { addressOf, PAGE_SHIFT, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { HypVm } from "../../spec/types/hyp-vm.ts";
import { PROT } from "../../spec/types/module.ts";
import { pagesFor } from "../../spec/vm-layout.ts";
import { CARVED_OUT_ALWAYS, PVMFW_FIRST } from "../initial.ts";
import { pageOf } from "../ownership/page-of.ts";
import {
  HOST_STAGE2_ROOT,
  HYP_POOL,
  HYP_RODATA_PA,
  HYP_STAGE1_ROOT,
  hypStackPa,
} from "./layout.ts";
import type { System } from "./system.ts";

/** One secret: registers, or a page of data, of descriptors, or the one after the table of ops. */
export interface Secret {
  /** In words, as a verdict says it. */
  readonly owner: string;
  readonly what:
    | { readonly kind: "registers"; readonly names: readonly string[] }
    | {
        readonly kind: "page";
        readonly pa: bigint;
        readonly holds: "data" | "descriptors" | "ops";
      };
}

/** Which code read which pages. */
export type Reads = ReadonlyMap<Pfn, ReadonlySet<string | undefined>>;

/**
 * Source: the keys of pointer authentication, DDI0487 D19.2, APIAKeyLo_EL1 and its kin: EL2 uses
 * the registers that EL1 has, and pKVM changes their values.
 */
const KEYS: Secret = {
  owner: "EL2's keys",
  what: {
    kind: "registers",
    names: ["IA", "IB", "DA", "DB", "GA"].flatMap((key) => [
      `AP${key}KeyLo_EL1`,
      `AP${key}KeyHi_EL1`,
    ]),
  },
};

const STACKS = "EL2's stacks";
const OWN = "EL2's own memory";
const TABLES = "EL2's page tables";
const FIRMWARE = "the firmware's pages";

const page = (owner: string, at: Pfn, holds: "data" | "descriptors" | "ops" = "data"): Secret => ({
  owner,
  what: { kind: "page", pa: addressOf(at), holds },
});

const frame = (pa: bigint): Pfn => pfn(Number(pa >> PAGE_SHIFT));

/** Pages of the hypervisor's pool that nothing has taken: the last ones. */
const FREE_PAGES = 2;

/** What is varied whatever was read: stacks, unused memory, keys. */
function always({ machine }: System): readonly Secret[] {
  const end = frame(HYP_POOL.end);
  return [
    ...machine.cores.map((_, cpu) => page(STACKS, frame(hypStackPa(cpu)))),
    ...Array.from({ length: FREE_PAGES }, (_, n) => page(OWN, pfn(end - n - 1))),
    KEYS,
  ];
}

/** What EL2 keeps for a VM: its structures, its tables, and the pages that wait to be tables. */
function keptFor(hyp: Hyp, vm: HypVm): readonly Pfn[] {
  const { hypVmBytes, hypVcpuBytes } = vmsOf(hyp.config);
  const run = (first: Pfn, bytes: number): readonly Pfn[] =>
    Array.from({ length: Number(pagesFor(BigInt(bytes))) }, (_, n) => pfn(first + n));
  const { root, level2, level3, pool } = vm.stage2;
  return [
    ...run(vm.memory, hypVmBytes),
    ...(vm.lastRan === undefined ? [] : [vm.lastRan]),
    ...vm.vcpus.flatMap(({ memory, memcache }) => [...run(memory, hypVcpuBytes), ...memcache]),
    ...[root, pfn(root + 1), ...level2.values(), ...level3.values(), ...pool],
  ];
}

/** A page of a VM that the host cannot read: the guest's own, or what EL2 keeps for it. */
function ofVm(hyp: Hyp, at: Pfn): string | undefined {
  for (const [handle, vm] of hyp.vmTable) {
    const name = `VM 0x${handle.toString(16)}`;
    if ([...vm.stage2.pages.values()].some((one) => one.pfn === at)) return `pages of ${name}`;
    if (keptFor(hyp, vm).includes(at)) return `what EL2 keeps for ${name}`;
  }
  return undefined;
}

/** The module whose data a page is. */
const moduleOf = ({ modules }: Hyp, at: Pfn): string | undefined =>
  [...modules.values()].find(({ sections }) =>
    sections.some(({ pfns, prot }) => (prot & PROT.X) === 0 && pfns.includes(at)),
  )?.name;

/** A page of the carve-out; its code and the host's contexts are no secrets. */
function ofCarveOut({ hyp, machine }: System, at: Pfn): Secret | undefined {
  const { carveOut } = branchOf(hyp.config).layout;
  if (at < carveOut.first || at > carveOut.last) return undefined;
  if (at < CARVED_OUT_ALWAYS.first || at > CARVED_OUT_ALWAYS.last) return page(OWN, at);
  const pa = addressOf(at);
  if (pa === HYP_RODATA_PA) return page(OWN, at, "ops");
  if (pa >= HOST_STAGE2_ROOT && pa < HYP_POOL.first) return page(TABLES, at, "descriptors");
  if (pa >= HYP_STAGE1_ROOT && pa < machine.hypPool.next) return page(TABLES, at, "descriptors");
  return pa >= machine.hypPool.next ? page(OWN, at) : undefined;
}

/** Whose secret a page is that code of some modules read; undefined where it is none. */
function secretAt(
  system: System,
  at: Pfn,
  readers: ReadonlySet<string | undefined>,
): Secret | undefined {
  const { hyp } = system;
  if (pageOf(hyp, at).host !== "NOPAGE") return undefined;
  const inCarveOut = ofCarveOut(system, at);
  if (inCarveOut !== undefined) return inCarveOut;
  const { regionBytes } = hyp.firmware;
  if (at >= PVMFW_FIRST && at < PVMFW_FIRST + Math.ceil(regionBytes / 4096)) {
    return page(FIRMWARE, at);
  }
  const module = moduleOf(hyp, at);
  // What a module does with its own data is its own affair.
  if (module !== undefined) return readers.has(module) ? undefined : page(`data of ${module}`, at);
  const vm = ofVm(hyp, at);
  return vm === undefined ? undefined : page(vm, at);
}

/**
 * Every secret that can matter to code that read these pages: what depends on a page that was not
 * read is the same whatever the page holds.
 */
export function secretsOf(system: System, reads: Reads): readonly Secret[] {
  const fixed = always(system);
  const known = new Set(fixed.flatMap(({ what }) => (what.kind === "page" ? [what.pa] : [])));
  const read = [...reads].flatMap(([at, readers]) =>
    known.has(addressOf(at)) ? [] : (secretAt(system, at, readers) ?? []),
  );
  return [...fixed, ...read];
}
