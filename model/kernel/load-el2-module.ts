// __pkvm_load_el2_module: the host reserves, relocates, maps and starts the EL2 half of a module.

import { branchOf, reserveErrno } from "../../spec/branches/branches.ts";
import { overridden } from "../../spec/branches/documented.ts";
import { type HypVa, hypVa, type KernVa, kernVa, PAGE_SIZE } from "../../spec/types/address.ts";
import { negative } from "../../spec/types/errno.ts";
import { SMCCC_RET_SUCCESS } from "../../spec/types/outcome.ts";
import { type HypModule, type HypSection, relocatedSlot, sortedTable, spanOf } from "../elf/hyp.ts";
import {
  pfnOfKernVa,
  readKernel64,
  readKernelS32,
  writeKernel64,
} from "../machine/kernel-memory.ts";
import { MODULE_AREA } from "../machine/layout.ts";
import { nested, over, perform, returnedValue, type System } from "../machine/system.ts";
import { hypercall } from "./hypercall.ts";
import { giveInit, takeBack } from "./init-argument.ts";

/** What the caller gets: an errno or 0, and the token if one was written. */
export interface El2Load {
  readonly value: number;
  readonly token: HypVa | undefined;
}

/** One page of a section: where it is now and where EL2 is to see it. */
interface PageToMap {
  readonly kernVa: KernVa;
  readonly hypVa: HypVa;
  readonly prot: number;
}

/** The pages of one section when EL2 sees the span at `base` and the span starts at `start`. */
function pagesOf(section: HypSection, start: bigint, base: HypVa): PageToMap[] {
  if (section.start === undefined || section.end === undefined) return [];
  const pages: PageToMap[] = [];
  for (let at: bigint = section.start; at < section.end; at += PAGE_SIZE) {
    pages.push({ kernVa: kernVa(at), hypVa: hypVa(base + at - start), prot: section.prot });
  }
  return pages;
}

/** PKVM_EL2_MOD_DIRECT_RANGE. Source: arch/arm64/kvm/pkvm.c (android16-6.12). */
const DIRECT_RANGE_PAGES = 0x800_0000n / PAGE_SIZE;

/**
 * Where the mirror of the module area shows the span; 0 where there is none. It is reserved with
 * the first module. Source: pkvm_el2_mod_alloc_mod_direct, arch/arm64/kvm/pkvm.c (android16-6.12).
 */
function directAddress(system: System, cpu: number, start: KernVa): bigint | undefined {
  if (!branchOf(system.hyp.config).directRange) return 0n;
  if (system.directRange === undefined) {
    const answer = hypercall(system, cpu, "__pkvm_alloc_module_va", [DIRECT_RANGE_PAGES]);
    if (answer === undefined) return undefined;
    if (answer.x0 !== SMCCC_RET_SUCCESS || answer.x1 === 0n) return 0n;
    system.directRange = hypVa(answer.x1);
  }
  // The whole area is 128 MiB, so that every module lies in it.
  return system.directRange + (start - MODULE_AREA.start);
}

/** Step 5: addresses for the span; the errno when there are none. */
function reserveSpan(
  system: System,
  cpu: number,
  { start, pageCount }: ReturnType<typeof spanOf>,
): HypVa | number | undefined {
  const branch = branchOf(system.hyp.config);
  const direct = directAddress(system, cpu, start);
  if (direct === undefined || direct !== 0n) return direct === undefined ? direct : hypVa(direct);
  const answer = hypercall(system, cpu, "__pkvm_alloc_module_va", [BigInt(pageCount)]);
  if (answer === undefined) return undefined;
  if (answer.x0 !== SMCCC_RET_SUCCESS) return negative(reserveErrno(branch, true));
  return answer.x1 === 0n ? negative(reserveErrno(branch, false)) : hypVa(answer.x1);
}

/** Step 8: every slot that .hyp.reloc names is rewritten in place, through the kernel's mapping. */
function relocateInPlace(system: System, hyp: HypModule, base: HypVa): void {
  const { start } = spanOf(hyp);
  for (let n = 0; n < hyp.relocs.count; n += 1) {
    const entry = kernVa(hyp.relocs.address + BigInt(n * 4));
    const slot = kernVa(entry + BigInt(readKernelS32(system.machine, entry)));
    const moved = relocatedSlot(readKernel64(system.machine, slot), start, base);
    writeKernel64(system.machine, slot, moved);
  }
}

/** Step 11: maps one section; a page that fails takes those of its section before it back. */
function mapSection(system: System, cpu: number, pages: readonly PageToMap[]): number | undefined {
  for (const [n, page] of pages.entries()) {
    const answer = hypercall(system, cpu, "__pkvm_map_module_page", [
      BigInt(pfnOfKernVa(system.machine, page.kernVa)),
      page.hypVa,
      BigInt(page.prot),
    ]);
    if (answer === undefined) return undefined;
    if (answer.x1 !== 0n) {
      if (!unmapPages(system, cpu, pages.slice(0, n))) return undefined;
      return Number(answer.x1);
    }
  }
  return 0;
}

/** Unmaps pages; false when EL2 did not come back from it. */
function unmapPages(system: System, cpu: number, pages: readonly PageToMap[]): boolean {
  for (const page of pages) {
    const pfn = BigInt(pfnOfKernVa(system.machine, page.kernVa));
    if (hypercall(system, cpu, "__pkvm_unmap_module_page", [pfn, page.hypVa]) === undefined) {
      return false;
    }
  }
  return true;
}

/** Steps 11: all sections in table order; the first error unmaps the earlier ones. */
function mapSections(
  system: System,
  cpu: number,
  sections: readonly (readonly PageToMap[])[],
): number | undefined {
  for (const [n, pages] of sections.entries()) {
    const value = mapSection(system, cpu, pages);
    if (value === undefined) return undefined;
    if (value !== 0) {
      system.log.push({ kind: "console", text: `Failed to map EL2 module page: ${value}` });
      for (const earlier of sections.slice(0, n)) {
        if (!unmapPages(system, cpu, earlier)) return undefined;
      }
      return value;
    }
  }
  return 0;
}

/**
 * The clean-up after a failed init. The branches up to 6.12 give the helper the table with its
 * absent sections first,
 * so that the distance between EL1 and EL2 addresses is counted from NULL and the addresses are
 * wrong (F1).
 */
function unmapAfterInit(system: System, cpu: number, hyp: HypModule, base: HypVa): boolean {
  const { config } = system.hyp;
  const table = sortedTable(hyp);
  const unshifted =
    branchOf(config).unmapsFromUnshiftedTable &&
    !overridden(config, "a failed load is cleaned up where it was mapped");
  const start = unshifted ? (table[0]?.start ?? 0n) : spanOf(hyp).start;
  return table.every((section) => unmapPages(system, cpu, pagesOf(section, start, base)));
}

/** Steps 4 to 13, after the checks; undefined when the system ended in between. */
function loadChecked(
  system: System,
  cpu: number,
  name: string,
  hyp: HypModule,
  init: bigint,
): El2Load | undefined {
  const span = spanOf(hyp);
  const base = reserveSpan(system, cpu, span);
  if (base === undefined) return undefined;
  if (typeof base === "number") return { value: base, token: undefined };
  perform(system, { kind: "el2_module_reserved", name, base });
  relocateInPlace(system, hyp, base);
  const given = giveInit(system, cpu, { name, init, base, start: span.start });
  if (given === undefined) return undefined;
  if (given.errno !== 0) return { value: given.errno, token: base };
  const sections = sortedTable(hyp).map((section) => pagesOf(section, span.start, base));
  const mapped = mapSections(system, cpu, sections);
  if (mapped === undefined) return undefined;
  if (mapped !== 0)
    return takeBack(system, cpu, given) ? { value: mapped, token: base } : undefined;
  const started = hypercall(system, cpu, "__pkvm_init_module", [given.argument]);
  if (started === undefined || !takeBack(system, cpu, given)) return undefined;
  const value = Number(started.x1);
  if (value !== 0) {
    system.log.push({ kind: "console", text: `Failed to init EL2 module: ${value}` });
    if (!unmapAfterInit(system, cpu, hyp, base)) return undefined;
  }
  return { value, token: base };
}

/**
 * The whole function, for a module whose EL1 half named `init`. Undefined when the system ended in
 * it.
 */
export function loadEl2Module(
  system: System,
  cpu: number,
  name: string,
  hyp: HypModule,
  init: bigint,
): El2Load | undefined {
  const checked = returnedValue(perform(system, { kind: "__pkvm_load_el2_module", name }));
  if (checked !== 0) return { value: checked, token: undefined };
  const result = nested(system, () => loadChecked(system, cpu, name, hyp, init));
  if (result === undefined || over(system)) return undefined;
  perform(system, { kind: "el2_module_loaded", name, value: result.value });
  return result;
}
