// The small worlds that are searched exhaustively: which system, how many of each thing, what may
// fail.

import type { Action } from "../../../spec/types/action.ts";
import type { Pfn } from "../../../spec/types/address.ts";
import { kernVa, PAGE_SHIFT, pfn } from "../../../spec/types/address.ts";
import type { Hyp, SystemConfig } from "../../../spec/types/hyp.ts";
import { type El2Section, PAGE_HYP_EXEC } from "../../../spec/types/module.ts";
import type { At } from "./at.ts";

/** How large a world is. */
export interface WorldSize {
  readonly cpus: number;
  readonly modules: number;
  /** Pages of memory that calls can name; the first ones hold the code of the modules. */
  readonly pages: number;
  readonly vms: number;
  /** VMs that the host makes by hypercalls of its own. */
  readonly hypVms: number;
  /** Calls that can be registered in all. */
  readonly calls: number;
  /** Steps of loading that are made to fail although nothing is wrong. */
  readonly faults: number;
  /** Whether the EL2 code of a module does anything but return. */
  readonly ops: boolean;
  /** Whether arguments lie at the edges of what they can mean, too: most of these are refused. */
  readonly edges: boolean;
  /** Whether hosts and modules do what no kernel does: raw loading, hints, FF-A, odd ops. */
  readonly rare: boolean;
  /** Whether the other CPU acts while the first one boots and loads. */
  readonly interleaved: boolean;
  /** Whether the last CPU registers calls as well while the first one loads. */
  readonly registers: boolean;
  /** Whether the host makes SMCs, and CPUs go off and on. */
  readonly smcs: boolean;
  /** Whether the host touches pages that stage 2 refuses, and traps otherwise. */
  readonly aborts: boolean;
  /** Whether vCPUs run. */
  readonly guests: boolean;
}

/** What a module of a small world is: one page of code, and nothing else that matters. */
export interface WorldModule {
  readonly name: string;
  readonly sections: readonly El2Section[];
}

/** A system and its size. */
export interface World {
  readonly system: SystemConfig;
  readonly size: WorldSize;
  readonly modules: readonly WorldModule[];
  readonly pages: readonly Pfn[];
  /** The kernel's command lines. */
  readonly commandLines: readonly string[];
}

/** The state that is searched: the system's, and where each CPU is in its program. */
export interface WorldState extends Hyp, Readonly<Record<`cpu${number}`, At>> {
  /** Steps that were made to fail so far. */
  readonly faults: number;
}

/** One move of a CPU: an action, or a step that fails by itself and is no action. */
export interface Move {
  readonly cpu: number;
  /** Which way its program takes. */
  readonly choice: string;
  readonly action: Action | undefined;
}

/** The first page of a world: plain memory. */
const FIRST_PAGE = 0x50000;
/** The module area, and how far modules are from each other in it. */
const FIRST_CODE = 0xffff_ffc0_0100_0000n;
const CODE_STRIDE = 0x1_0000n;

const NAMES = ["a", "b", "c", "d"] as const;

export const firmwareBytes = 1 << 20;

/** What is asked for when nothing is said: the smallest world in which everything is there. */
export const SMALL: WorldSize = {
  cpus: 2,
  modules: 1,
  pages: 2,
  vms: 1,
  hypVms: 0,
  calls: 1,
  faults: 0,
  ops: true,
  edges: false,
  rare: false,
  interleaved: true,
  registers: false,
  smcs: false,
  aborts: false,
  guests: false,
};

/** The code of module `n`: one executable page. */
const codeOf = (n: number, page: Pfn): El2Section => ({
  name: ".hyp.text",
  kernVa: kernVa(FIRST_CODE + BigInt(n) * CODE_STRIDE),
  pfns: [page],
  prot: PAGE_HYP_EXEC,
});

/** Every order in which the modules can be asked for, each at most once. */
function listsOf(names: readonly string[]): readonly (readonly string[])[] {
  const shorter = names.flatMap((name) =>
    listsOf(names.filter((other) => other !== name)).map((list) => [name, ...list]),
  );
  return [[], ...shorter];
}

/** A world of a size. */
export function worldOf(system: SystemConfig, size: WorldSize): World {
  const names = NAMES.slice(0, size.modules);
  const pages = Array.from({ length: size.pages }, (_, n) => pfn(FIRST_PAGE + n));
  return {
    system: { ...system, cpuCount: size.cpus },
    size,
    modules: names.map((name, n) => ({ name, sections: [codeOf(n, pages[n] as Pfn)] })),
    pages,
    commandLines: [
      ...listsOf(names).map((list) => `kvm-arm.mode=protected kvm-arm.protected_modules=${list}`),
      "kvm-arm.mode=nvhe",
      "kvm-arm.mode=none",
    ],
  };
}

/** The number that a call names a page by. */
export const frame = (page: Pfn): bigint => BigInt(page);
export const address = (page: Pfn): bigint => BigInt(page) << PAGE_SHIFT;
