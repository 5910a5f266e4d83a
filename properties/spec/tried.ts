// Hand-made steps: what a clause must accept, and what it must reject, written without the model.

import { enableMapSet, produce } from "immer";
import { describe, expect, test } from "vitest";
import type { Mutable } from "../../model/transition.ts";
import type { Step, StepClause } from "../../spec/clause.ts";
import type { Action, Hvc } from "../../spec/types/action.ts";
import { hypVa, kernVa, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { ModuleState } from "../../spec/types/module.ts";
import type { Outcome, PanicReason } from "../../spec/types/outcome.ts";
import { HYP_PAGE } from "../../spec/types/page.ts";
import { NEW_VM, type VmState } from "../../spec/types/vm.ts";

enableMapSet();

export type Change = (hyp: Mutable<Hyp>) => void;

/** A state like another, but for what `change` does. */
export const like = (hyp: Hyp, change: Change): Hyp =>
  produce(hyp, (draft) => {
    change(draft as Mutable<Hyp>);
  });

/** A VM of user space as KVM_CREATE_VM makes a protected one, but for what is given. */
export const vmLike = (vm: Partial<Mutable<VmState>> = {}): Mutable<VmState> => ({
  ...structuredClone(NEW_VM as Mutable<typeof NEW_VM>),
  isProtected: true,
  ...vm,
});

/** A step that answers `outcome` and changes what `change` changes. */
export const step = (pre: Hyp, action: Action, outcome: Outcome, change?: Change): Step => ({
  pre,
  action,
  outcome,
  post: change === undefined ? pre : like(pre, change),
});

/** The same step with another answer. */
export const answering = (good: Step, outcome: Outcome): Step => ({ ...good, outcome });

/** The same step, which also changes something that it should not, or undoes what it should do. */
export const leaving = (good: Step, change: Change): Step => ({
  ...good,
  post: like(good.post, change),
});

/** One step that the clause must accept, and at least one that it must reject. */
export type Case = readonly [good: Step, bad: Step, ...more: Step[]];

/**
 * Every clause of a list is tried on its case: it applies to all of its steps and accepts only the
 * first.
 */
export function tryClauses(
  clauses: readonly StepClause[],
  cases: Readonly<Record<string, Case>>,
): void {
  test("every clause has a case and every case a clause", () => {
    expect(Object.keys(cases).sort()).toEqual(clauses.map(({ id }) => id).sort());
  });
  describe.each(clauses.map((rule) => [rule.id, rule] as const))("%s", (id, rule) => {
    const [good, ...bad] = cases[id] ?? [];
    test(`accepts: ${rule.statement}`, () => {
      expect(good === undefined ? [] : rule.on).toContain(good?.action.kind);
      expect(good !== undefined && rule.applies(good)).toBe(true);
      expect(good === undefined ? "no case" : rule.holds(good)).toBe(true);
    });
    test.each(bad.map((wrong, at) => [at + 1, wrong] as const))("rejects %i", (_, wrong) => {
      expect(rule.on).toContain(wrong.action.kind);
      expect(rule.applies(wrong)).toBe(true);
      expect(rule.holds(wrong)).toEqual(expect.any(String));
    });
  });
}

export const returned = (value: number): Outcome => ({
  kind: "returned",
  value: BigInt.asUintN(64, BigInt(value)),
});
export const answered = (value: number | bigint): Outcome => ({
  kind: "hcall",
  x0: 0n,
  x1: BigInt.asUintN(64, BigInt(value)),
});
/** A hypercall that was known and has no result: x1 is what the caller put there. */
export const DONE: Outcome = { kind: "hcall", x0: 0n, x1: undefined };
export const UNKNOWN: Outcome = { kind: "hcall", x0: 0xffff_ffff_ffff_ffffn, x1: undefined };
export const entered = (address: bigint): Outcome => ({ kind: "enters", address: hypVa(address) });
export const panicked = (reason: PanicReason): Outcome => ({
  kind: "hyp-panic",
  reason,
});

/** HVC #0 on CPU 0 with x0 and the arguments; the other registers hold what nobody set. */
export function hvc(x0: bigint, ...args: readonly (bigint | number)[]): Hvc {
  const given = [x0, ...args.map(BigInt)];
  const x = Array.from({ length: 18 }, (_, n) => given[n] ?? BigInt(0xa0a0_0000 + n));
  return { kind: "hvc", cpu: 0, imm: 0, x };
}

/** Power-on: nothing has been read. */
export const POWER_ON: Hyp = {
  config: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
  boot: {
    mode: "vhe",
    protectedModules: "",
    hypUp: false,
    key: false,
    finalised: [false, false],
    earlyModulesDone: false,
    loadFailure: undefined,
    requestedNames: [],
    requested: undefined,
    iommuFinalised: false,
    iommuClosed: false,
  },
  firmware: { regionBytes: 0x100000, content: "image", advertisedBytes: 0x100000 },
  modules: new Map(),
  el2: { nextFree: hypVa(0x20_0000_a000n), reservations: [], mappings: new Map(), earlyBytes: 0 },
  dispatch: { dynamicHcalls: [], callbacks: {}, further: {} },
  psci: { power: ["on", "on"], booting: [undefined, undefined], memProtectLocked: false },
  controls: [
    { hcrSet: 0n, hcrClear: 0n, hfgwtr: 0n },
    { hcrSet: 0n, hcrClear: 0n, hfgwtr: 0n },
  ],
  pages: new Map(),
  vms: new Map(),
  vmTable: new Map(),
  loaded: [undefined, undefined],
  reservedHandles: new Set(),
  memProtect: 0,
  vmcr: new Map(),
  end: undefined,
};

/** pKVM is up and the host is trusted: two modules are to be loaded. */
export const TRUSTED = like(POWER_ON, (hyp) => {
  hyp.boot.mode = "protected";
  hyp.boot.protectedModules = "mod1,,mod2";
  hyp.boot.hypUp = true;
});

/**
 * The EL1 addresses and pages of the module's two sections: text at +0, data at +0x2000 (a hole
 * between).
 */
export const TEXT_PFN = pfn(0x50000);
export const DATA_PFN = pfn(0x50001);
export const MOD1: ModuleState = {
  name: "mod1",
  state: "coming",
  refcount: 1,
  hasInit: true,
  hasExit: false,
  sections: [
    { name: ".hyp.bss", kernVa: undefined, pfns: [], prot: 6 },
    { name: ".hyp.text", kernVa: kernVa(0xffff_ffc0_0000_2000n), pfns: [TEXT_PFN], prot: 5 },
    { name: ".hyp.data", kernVa: kernVa(0xffff_ffc0_0000_4000n), pfns: [DATA_PFN], prot: 6 },
  ],
  el2: "absent",
  token: undefined,
  initResult: undefined,
};

/** mod1 is in the list and its init runs. */
export const COMING = like(TRUSTED, (hyp) => {
  hyp.boot.requested = "mod1";
  hyp.boot.requestedNames = ["mod1"];
  hyp.modules.set("mod1", structuredClone(MOD1) as Mutable<ModuleState>);
});

/** Its three pages of EL2 addresses, aligned to four. */
export const BASE = hypVa(0x20_0000_c000n);
export const TEXT_VA = BASE;
export const DATA_VA = hypVa(0x20_0000_e000n);
export const HANDLER = hypVa(0x20_0000_c128n);

export const RESERVED = like(COMING, (hyp) => {
  hyp.el2.nextFree = hypVa(0x20_0000_f000n);
  hyp.el2.reservations.push({ base: BASE, pages: 3 });
  const mod1 = hyp.modules.get("mod1");
  if (mod1 !== undefined) Object.assign(mod1, { refcount: 2, el2: "reserved", token: BASE });
});

export const MAPPED = like(RESERVED, (hyp) => {
  hyp.pages.set(TEXT_PFN, { ...HYP_PAGE }).set(DATA_PFN, { ...HYP_PAGE });
  hyp.el2.mappings.set(TEXT_VA, { pfn: TEXT_PFN, prot: 5 });
  hyp.el2.mappings.set(DATA_VA, { pfn: DATA_PFN, prot: 6 });
});

export const LOADED = like(MAPPED, (hyp) => {
  const mod1 = hyp.modules.get("mod1");
  if (mod1 !== undefined) mod1.el2 = "initialised";
});

/** mod1 is live with one handler; the host is deprivileged on every CPU. */
export const DEPRIVILEGED = like(LOADED, (hyp) => {
  const mod1 = hyp.modules.get("mod1");
  if (mod1 !== undefined) Object.assign(mod1, { state: "live", refcount: 1, initResult: 0 });
  hyp.dispatch.dynamicHcalls.push(HANDLER);
  Object.assign(hyp.boot, {
    key: true,
    finalised: [true, true],
    requested: undefined,
    requestedNames: ["mod1", "mod2"],
    earlyModulesDone: true,
  });
  Object.assign(hyp.firmware, { content: "zero", advertisedBytes: 0 });
});

/** A module's record, to be changed. */
export function recordOf(hyp: Mutable<Hyp>, name: string): Mutable<ModuleState> {
  const module = hyp.modules.get(name);
  if (module === undefined) throw new Error(`${name} is not in the hand-made state`);
  return module;
}

/** The key is set: the change that nothing but the drop may make. */
export const setsKey: Change = (hyp) => {
  hyp.boot.key = true;
};
/** A page changes hands. */
export const takesPage: Change = (hyp) => {
  hyp.pages.set(pfn(0x60000), { ...HYP_PAGE });
};
