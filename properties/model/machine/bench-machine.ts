// A machine for tests: code put by hand where EL1 or EL2 executes it, and an environment that takes
// notes.

import { readPhysical, writePhysical } from "../../../cpu/memory.ts";
import { initialHyp, PRIVATE_FIRST_FREE } from "../../../model/initial.ts";
import type { Environment } from "../../../model/machine/answers.ts";
import {
  allocModuleMemory,
  protectKernel,
  writeKernelBytes,
} from "../../../model/machine/kernel-memory.ts";
import type { Machine } from "../../../model/machine/machine.ts";
import { createMachine } from "../../../model/machine/machine.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { ANDROID14_6_1 } from "../../../spec/branches/android14-6.1.ts";
import {
  addressOf,
  type HypVa,
  hypVa,
  type KernVa,
  type Pfn,
  pfn,
} from "../../../spec/types/address.ts";
import type { Hyp } from "../../../spec/types/hyp.ts";
import { PAGE_HYP_EXEC } from "../../../spec/types/module.ts";
import { HYP_PAGE, type PageState } from "../../../spec/types/page.ts";

/** The system as it is right after kvm_arm_init in protected mode, on two CPUs. */
export const STARTED: Hyp = (() => {
  const hyp = initialHyp(
    { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
    0,
  );
  return { ...hyp, boot: { ...hyp.boot, mode: "protected", hypUp: true } };
})();

export const newMachine = (): Machine => createMachine(ANDROID14_6_1, 2);

/** The state with pages, mappings or finalised CPUs replaced. */
export const withPages = (hyp: Hyp, pages: ReadonlyMap<Pfn, PageState>): Hyp => ({ ...hyp, pages });
export const finalised = (hyp: Hyp): Hyp => ({
  ...hyp,
  boot: { ...hyp.boot, key: true, finalised: [true, true] },
});

/** The page that holds EL2 code in these tests. */
export const CODE_PAGE = pfn(0x50000);
export const CODE = PRIVATE_FIRST_FREE;

const bytesOf = (words: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(words).buffer);

/**
 * Puts code on a page of the hypervisor's and maps it executable at EL2; answers the state with
 * it.
 */
export function loadAtEl2(
  machine: Machine,
  pre: Hyp,
  words: readonly number[],
  at: HypVa = CODE,
): Hyp {
  words.forEach((word, n) => {
    writePhysical(machine.memory, addressOf(CODE_PAGE) + BigInt(4 * n), 4, BigInt(word));
  });
  const post: Hyp = {
    ...pre,
    pages: new Map(pre.pages).set(CODE_PAGE, HYP_PAGE),
    el2: {
      ...pre.el2,
      mappings: new Map(pre.el2.mappings).set(hypVa(at), { pfn: CODE_PAGE, prot: PAGE_HYP_EXEC }),
    },
  };
  syncDescriptors(machine, pre, post);
  return post;
}

/** Puts code in module memory and makes it executable at EL1. */
export function loadAtEl1(machine: Machine, words: readonly number[], literal = 0n): KernVa {
  const base = allocModuleMemory(machine, 1)!;
  const bytes = new Uint8Array(bytesOf(words).length + 8);
  bytes.set(bytesOf(words));
  new DataView(bytes.buffer).setBigUint64(bytes.length - 8, literal, true);
  writeKernelBytes(machine, base, bytes);
  protectKernel(machine, base, 1, "rx");
  return base;
}

export const physical64 = (machine: Machine, pa: bigint): bigint =>
  readPhysical(machine.memory, pa, 8)!;

/** An environment that answers nothing unless told to, and writes down what it was asked. */
export function notes(answers: Partial<Environment> = {}): { env: Environment; asked: string[] } {
  const asked: string[] = [];
  const end = (what: string) => {
    asked.push(what);
    return { kind: "ended" } as const;
  };
  const env: Environment = {
    printk: (text) => asked.push(`printk ${text}`),
    kernelFunction: (name) => end(`kernel function ${name}`),
    hvc: (cpu, imm) => end(`hvc ${cpu} ${imm}`),
    smc: (cpu) => end(`smc ${cpu}`),
    hostAbort: (cpu, { reason }) => end(`abort ${cpu} ${reason}`),
    hostTrap: (cpu, esr) => end(`trap ${cpu} 0x${esr.toString(16)}`),
    op: (name) => end(`op ${name}`),
    ...answers,
  };
  return { env, asked };
}

/** Eighteen registers with a marker each. */
export const marked = (...first: readonly bigint[]): bigint[] =>
  Array.from({ length: 18 }, (_, n) => first[n] ?? 0xa0a0_0000n + BigInt(n));
