// Reads the descriptors back from memory, and says where they and the abstract state disagree.

import { addressOf, type HypVa, hypVa, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp, ModuleMapping } from "../../spec/types/hyp.ts";
import { PAGE_HYP, PAGE_HYP_EXEC, PAGE_HYP_RO, PROT } from "../../spec/types/module.ts";
import {
  type HostPageState,
  HYP_PAGE,
  type HypPageState,
  type OwnerId,
  type PageState,
  PLAIN_PAGE,
} from "../../spec/types/page.ts";
import { carveOutOf } from "../initial.ts";
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
import { guestDisagreements } from "../pgtable/guest-stage2.ts";
import { isMemory } from "../pgtable/host-stage2.ts";
import { HYP_LINEAR_OFFSET, linearPage } from "../pgtable/hyp-stage1.ts";
import { leaves } from "../pgtable/table.ts";
import { fixmapSlot, HYP_RODATA_PA, HYP_TEXT_PA, HYP_TEXT_PAGES, hypStack } from "./layout.ts";
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
  /** EL2's permissions, where they are not pKVM's own. */
  readonly hypProt?: number | undefined;
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
  const { owner, hyp, hypProt: other } = state;
  const byHyp = { hyp, ...(other === undefined ? {} : { hypProt: other }) };
  // A page whose protection a module changed is the host's for the software bits.
  if (state.prot !== undefined) return { host: "OWNED", owner, prot: state.prot, ...byHyp };
  const host = state.host === "MODULE_OWNED" ? "NOPAGE" : state.host;
  const prot = host === "SHARED_OWNED" ? HOST_MEMORY_PROT : plainProt(machine, page);
  return { host, owner, prot: host === "NOPAGE" ? 0 : prot, ...byHyp };
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

/**
 * Most pages that are not the host's are one of these two: they are kept once, so that they compare
 * quickly.
 */
const MARKED: SeenPage = { host: "NOPAGE", owner: "HYP", prot: 0, hyp: "NOPAGE" };
const HYP_OWNED: SeenPage = { ...MARKED, hyp: "OWNED" };

/** How many pages leaves of a level cover. */
const pageCount = (level: Level, count: number): number => count * Number(levelBytes(level) >> 12n);

function readHost(machine: Machine, pages: Map<Pfn, SeenPage>): void {
  const { table } = machine.hostStage2;
  for (const { address, level, entry, count } of leaves(machine.physical, table)) {
    const first = Number(address >> 12n);
    const valid = isValid(entry);
    // A block that is plainly the host's says nothing page by page.
    const prot = valid ? hostStage2Prot(withoutState(entry)) : 0;
    const host = valid ? stateName(entry) : "NOPAGE";
    const identity = valid && outputAddress(entry, level) === address;
    if (identity && host === "OWNED" && prot === plainProt(machine, pfn(first))) continue;
    const owner = valid ? (identity ? ownerByState(host) : undefined) : ownerOf(entry);
    const seen: SeenPage = owner === "HYP" ? MARKED : { host, owner, prot, hyp: "NOPAGE" };
    const length = pageCount(level, count);
    for (let n = 0; n < length; n++) pages.set(pfn(first + n), seen);
  }
}

/** What the host borrows a guest owns. */
const ownerByState = (host: SeenPage["host"]): OwnerId =>
  host === "SHARED_BORROWED" ? "GUEST" : "HOST";

/** What EL2 may do with a page through the linear map: its own text and rodata are kept apart. */
function linearProt(machine: Machine, page: Pfn): number {
  const pa = addressOf(page);
  if (pa >= HYP_TEXT_PA && pa < HYP_TEXT_PA + HYP_TEXT_PAGES * 4096n) return PAGE_HYP_EXEC;
  if (pa === HYP_RODATA_PA) return PAGE_HYP_RO;
  return isMemory(machine.hostStage2, pa) ? PAGE_HYP : PAGE_HYP | PROT.DEVICE;
}

/** What an EL2 entry of the linear map says of its page. */
type SeenByHyp = Pick<SeenPage, "hyp" | "hypProt">;

const isPlainlyOwned = ({ hyp, hypProt: other }: SeenByHyp): boolean =>
  hyp === "OWNED" && other === undefined;

/** The state that an entry gives to its page; undefined for what nobody writes there. */
function hypState(machine: Machine, entry: bigint, page: Pfn): SeenByHyp {
  const state = isValid(entry) ? stateName(entry) : undefined;
  if (state !== "OWNED" && state !== "SHARED_BORROWED") return { hyp: undefined };
  const usual = state === "SHARED_BORROWED" ? PAGE_HYP : linearProt(machine, page);
  const prot = hypProt(withoutState(entry));
  if (prot === usual) return { hyp: state };
  const isRw = (prot & (PROT.R | PROT.W | PROT.X)) === PAGE_HYP;
  return { hyp: isRw ? state : "RESTRICTED_PROT", hypProt: prot };
}

function readHyp(
  machine: Machine,
  pages: Map<Pfn, SeenPage>,
  mappings: Map<HypVa, ModuleMapping>,
): void {
  const own = new Set<bigint>(
    machine.cores.flatMap((_, cpu) => [hypStack(cpu).bottom, fixmapSlot(cpu)]),
  );
  for (const { address, level, entry, count } of leaves(machine.physical, machine.hypTable)) {
    if (own.has(address)) continue;
    const target = Number(outputAddress(entry, level) >> 12n);
    const length = pageCount(level, count);
    if (address >= HYP_LINEAR_OFFSET) {
      const first = linearPage(address);
      const by = target === first ? hypState(machine, entry, first) : { hyp: undefined };
      for (let n = 0; n < length; n++) {
        const page = pfn(first + n);
        const seen = pages.get(page) ?? visible(machine, page, PLAIN_PAGE);
        pages.set(page, seen === MARKED && isPlainlyOwned(by) ? HYP_OWNED : { ...seen, ...by });
      }
      continue;
    }
    // A module's mapping is valid and carries no state; what is not so has no permission here.
    const prot = isValid(entry) && stateName(entry) === "OWNED" ? hypProt(entry) : 0;
    for (let n = 0; n < length; n++) {
      mappings.set(hypVa(address + BigInt(n) * 4096n), { pfn: pfn(target + n), prot });
    }
  }
}

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
  for (const page of new Set([...seen.pages.keys(), ...hyp.pages.keys(), ...carveOut(hyp)])) {
    const state = pageOf(hyp, page);
    const read = seen.pages.get(page);
    if (read === HYP_OWNED && state === HYP_PAGE) continue;
    const expected = visible(machine, page, state);
    const actual = read ?? visible(machine, page, PLAIN_PAGE);
    if (!same(expected, actual)) {
      found.push(
        `page 0x${page.toString(16)}: ` +
          `memory says ${describe(actual)}; the state ${describe(expected)}`,
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
  return [...found, ...guestDisagreements(machine, hyp)];
}

function* carveOut({ config }: Hyp): Generator<Pfn> {
  const { first, last } = carveOutOf(config);
  for (let page = first; page <= last; page++) yield pfn(page);
}

const same = (a: SeenPage, b: SeenPage): boolean =>
  a.host === b.host &&
  a.owner === b.owner &&
  a.prot === b.prot &&
  a.hyp === b.hyp &&
  a.hypProt === b.hypProt;

const text = (mapping: ModuleMapping | undefined): string =>
  mapping === undefined ? "nothing" : `page 0x${mapping.pfn.toString(16)} prot ${mapping.prot}`;
