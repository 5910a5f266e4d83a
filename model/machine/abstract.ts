// Reads the descriptors back from memory, and says where they and the abstract state disagree.

import { addressOf, type HypVa, hypVa, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp, ModuleMapping } from "../../spec/types/hyp.ts";
import type { HostPageState, HypPageState, OwnerId, PageState } from "../../spec/types/page.ts";
import { CARVE_OUT } from "../initial.ts";
import { pageOf } from "../ownership/page-of.ts";
import {
  HOST_MEMORY_PROT,
  HOST_MMIO_PROT,
  hostStage2Prot,
  hypProt,
} from "../pgtable/attributes.ts";
import {
  isValid,
  type Level,
  levelBytes,
  outputAddress,
  ownerOf,
  stateName,
  withoutState,
} from "../pgtable/descriptor.ts";
import { isMemory } from "../pgtable/host-stage2.ts";
import { HYP_LINEAR_OFFSET, linearPage } from "../pgtable/hyp-stage1.ts";
import { leaves } from "../pgtable/table.ts";
import { fixmapSlot, hypStack } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { HCR_VM } from "./registers.ts";

/** What the descriptors say of one page. */
export interface SeenPage {
  /**
   * By the software bits of a valid entry; NOPAGE for a mark. Undefined: bits that pKVM never
   * writes.
   */
  readonly host: Exclude<HostPageState, "MODULE_OWNED"> | undefined;
  /** By the mark of an invalid entry. */
  readonly owner: OwnerId | undefined;
  /** What the host may do: PROT bits. */
  readonly prot: number;
  readonly hyp: HypPageState | undefined;
}

/** What the descriptors of a machine say. */
export interface Seen {
  /** Pages that are not plainly the host's. */
  readonly pages: ReadonlyMap<Pfn, SeenPage>;
  readonly mappings: ReadonlyMap<HypVa, ModuleMapping>;
  /** HCR_EL2.VM of each CPU. */
  readonly finalised: readonly boolean[];
}

const plainProt = (machine: Machine, page: Pfn): number =>
  isMemory(machine.hostStage2, addressOf(page)) ? HOST_MEMORY_PROT : HOST_MMIO_PROT;

/** What the descriptors say of a page in an abstract state. Pins are not in descriptors. */
function visible(machine: Machine, page: Pfn, state: PageState): SeenPage {
  const { owner, hyp } = state;
  const host = state.host === "MODULE_OWNED" ? "NOPAGE" : state.host;
  return { host, owner, prot: host === "NOPAGE" ? 0 : plainProt(machine, page), hyp };
}

const describe = ({ host, owner, prot, hyp }: SeenPage): string =>
  `host ${host ?? "?"} prot ${prot}, owner ${owner ?? "?"}, hyp ${hyp ?? "?"}`;

/** Walks all tables. */
export function readBack(machine: Machine): Seen {
  const pages = new Map<Pfn, SeenPage>();
  const mappings = new Map<HypVa, ModuleMapping>();
  readHost(machine, pages);
  readHyp(machine, pages, mappings);
  const finalised = machine.cores.map(({ sysreg }) => (sysreg.HCR_EL2 & HCR_VM) !== 0n);
  return { pages, mappings, finalised };
}

/** The pages that one leaf covers. */
function* pagesFrom(first: number, level: Level): Generator<Pfn> {
  const count = Number(levelBytes(level) >> 12n);
  for (let n = 0; n < count; n++) yield pfn(first + n);
}

function readHost(machine: Machine, pages: Map<Pfn, SeenPage>): void {
  for (const { address, level, entry } of leaves(machine.physical, machine.hostStage2.table)) {
    const first = Number(address >> 12n);
    const valid = isValid(entry);
    // A block that is plainly the host's says nothing page by page.
    const prot = valid ? hostStage2Prot(withoutState(entry)) : 0;
    const host = valid ? stateName(entry) : "NOPAGE";
    const identity = valid && outputAddress(entry, level) === address;
    if (identity && host === "OWNED" && prot === plainProt(machine, pfn(first))) continue;
    const owner = valid ? (identity ? "HOST" : undefined) : ownerOf(entry);
    for (const page of pagesFrom(first, level))
      pages.set(page, { host, owner, prot, hyp: "NOPAGE" });
  }
}

/** The state that an EL2 entry of the linear map gives to its page. */
function hypState(entry: bigint): HypPageState | undefined {
  const state = stateName(entry);
  return state === "OWNED" || state === "SHARED_BORROWED" ? state : undefined;
}

function readHyp(
  machine: Machine,
  pages: Map<Pfn, SeenPage>,
  mappings: Map<HypVa, ModuleMapping>,
): void {
  const own = new Set<bigint>(
    machine.cores.flatMap((_, cpu) => [hypStack(cpu).bottom, fixmapSlot(cpu)]),
  );
  for (const { address, level, entry } of leaves(machine.physical, machine.hypTable)) {
    if (own.has(address)) continue;
    const target = Number(outputAddress(entry, level) >> 12n);
    const linear = address >= HYP_LINEAR_OFFSET;
    const first = linear ? linearPage(address) : 0;
    const hyp = target === first ? hypState(entry) : undefined;
    let n = 0;
    for (const page of pagesFrom(linear ? first : target, level)) {
      if (linear) {
        const seen = pages.get(page) ?? visible(machine, page, PLAIN);
        pages.set(page, { ...seen, hyp });
      } else {
        const va = hypVa(address + BigInt(n) * 4096n);
        mappings.set(va, { pfn: page, prot: hypProt(withoutState(entry)) });
      }
      n++;
    }
  }
}

const PLAIN: PageState = { host: "OWNED", owner: "HOST", hyp: "NOPAGE", refcount: 0 };

/**
 * One sentence for each place where descriptors and abstract state differ; none when they agree.
 */
export function disagreements(machine: Machine, hyp: Hyp): string[] {
  const seen = readBack(machine);
  const found: string[] = [];
  seen.finalised.forEach((on, cpu) => {
    if (on !== (hyp.boot.finalised[cpu] === true)) {
      found.push(
        `CPU ${cpu}: HCR_EL2.VM is ${on ? 1 : 0}, finalised is ${hyp.boot.finalised[cpu]}`,
      );
    }
  });
  // Before EL2 is up its tables say nothing.
  if (!hyp.boot.hypUp) return found;
  for (const page of new Set([...seen.pages.keys(), ...hyp.pages.keys(), ...carveOut()])) {
    const expected = visible(machine, page, pageOf(hyp, page));
    const actual = seen.pages.get(page) ?? visible(machine, page, PLAIN);
    if (!same(expected, actual)) {
      found.push(
        `page 0x${page.toString(16)}: memory says ${describe(actual)}; the state ${describe(expected)}`,
      );
    }
  }
  for (const va of new Set([...seen.mappings.keys(), ...hyp.el2.mappings.keys()])) {
    const [actual, expected] = [seen.mappings.get(va), hyp.el2.mappings.get(va)];
    if (actual?.pfn === expected?.pfn && actual?.prot === expected?.prot) continue;
    found.push(
      `EL2 0x${va.toString(16)}: memory maps ${text(actual)}; the state ${text(expected)}`,
    );
  }
  return found;
}

function* carveOut(): Generator<Pfn> {
  for (let page = CARVE_OUT.first as number; page <= CARVE_OUT.last; page++) yield pfn(page);
}

const same = (a: SeenPage, b: SeenPage): boolean =>
  a.host === b.host && a.owner === b.owner && a.prot === b.prot && a.hyp === b.hyp;

const text = (mapping: ModuleMapping | undefined): string =>
  mapping === undefined ? "nothing" : `page 0x${mapping.pfn.toString(16)} prot ${mapping.prot}`;
