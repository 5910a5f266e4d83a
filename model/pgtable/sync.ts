// Makes the descriptors in memory follow the abstract state: what changed between two states is
// written.

import type { Pfn } from "../../spec/types/address.ts";
import { addressOf } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Machine } from "../machine/machine.ts";
import { HCR_HOST, HCR_TSC, HCR_VM } from "../machine/registers.ts";
import { invalidateHostStage2, invalidateHyp } from "../machine/tlb.ts";
import { pageOf } from "../ownership/page-of.ts";
import { isValid } from "./descriptor.ts";
import { syncGuestStage2 } from "./guest-stage2.ts";
import { hostEntry, isMemory, setHostPage, touch } from "./host-stage2.ts";
import { hypLinear, hypLinearEntry, moduleEntry } from "./hyp-stage1.ts";
import { writeLeaf } from "./table.ts";

/**
 * Writes what a step changed: host stage 2, EL2 stage 1, HCR_EL2; and invalidates what could be
 * kept of it.
 */
export function syncDescriptors(machine: Machine, pre: Hyp, post: Hyp): void {
  if (pre.pages !== post.pages) {
    for (const page of changed(pre.pages, post.pages)) syncPage(machine, pre, post, page);
  }
  if (pre.el2.mappings !== post.el2.mappings) {
    for (const va of changed(pre.el2.mappings, post.el2.mappings)) {
      const mapping = post.el2.mappings.get(va);
      setHypEntry(machine, va, mapping === undefined ? 0n : moduleEntry(mapping.pfn, mapping.prot));
    }
  }
  if (pre.vmTable !== post.vmTable) syncGuestStage2(machine, pre, post);
  if (pre.boot !== post.boot || pre.controls !== post.controls) syncControls(machine, post);
}

/** The keys whose values are not the same in two maps. */
function* changed<K, V>(pre: ReadonlyMap<K, V>, post: ReadonlyMap<K, V>): Generator<K> {
  for (const [key, value] of post) if (pre.get(key) !== value) yield key;
  for (const key of pre.keys()) if (!post.has(key)) yield key;
}

function syncPage(machine: Machine, pre: Hyp, post: Hyp, page: Pfn): void {
  const [before, after] = [pageOf(pre, page), pageOf(post, page)];
  const { physical, hypPool, hostStage2 } = machine;
  if (before.host !== after.host || before.owner !== after.owner || before.prot !== after.prot) {
    const entry = hostEntry(hostStage2, page, before, after);
    const replaced = setHostPage(physical, hypPool, hostStage2, page, entry);
    if (isValid(replaced.entry)) invalidateHostStage2(machine, addressOf(page));
  }
  if (before.hyp !== after.hyp || before.hypProt !== after.hypProt) {
    const pa = addressOf(page);
    setHypEntry(machine, hypLinear(pa), hypLinearEntry(page, after, isMemory(hostStage2, pa)));
  }
}

function setHypEntry(machine: Machine, va: bigint, entry: bigint): void {
  const { physical, hypPool, hypTable } = machine;
  const place = { address: va, level: 3 } as const;
  const replaced = writeLeaf(physical, hypPool, hypTable, place, entry);
  if (isValid(replaced.entry)) invalidateHyp(machine, va);
}

/**
 * The console of the measured machine. Source: measured, PL011 at 0x9000000, mapped before anyone
 * looks.
 */
const CONSOLE = 0x900_0000n;

/**
 * HCR_EL2 of each CPU: SMC trapped in protected mode, stage 2 on once the CPU is finalised. The
 * kernel's next message
 * goes to the console, which is why the block below memory is there in every trace.
 * What a module set and cleared comes on top.
 * Source: __pkvm_prot_finalize, hyp/nvhe/mem_protect.c; HCR_HOST_NVHE_PROTECTED_FLAGS,
 * asm/kvm_arm.h (android14-6.1).
 */
function syncControls(machine: Machine, { boot, controls }: Hyp): void {
  const trapped = boot.mode === "protected" ? HCR_TSC : 0n;
  for (const [cpu, core] of machine.cores.entries()) {
    const stage2 = boot.finalised[cpu] === true ? HCR_VM : 0n;
    const { hcrSet, hcrClear } = controls[cpu] ?? { hcrSet: 0n, hcrClear: 0n };
    const value = ((HCR_HOST | trapped | hcrSet) & ~hcrClear) | stage2;
    if (core.sysreg.HCR_EL2 !== value) core.sysreg.HCR_EL2 = value;
  }
  if (boot.finalised.includes(true)) {
    touch(machine.physical, machine.hypPool, machine.hostStage2, CONSOLE);
  }
}
