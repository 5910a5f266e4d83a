// Loading a module in a small world: any init, one page of code, every step that can fail.

import { branchOf } from "../../../spec/branches/branches.ts";
import { overridden } from "../../../spec/branches/documented.ts";
import { MODULE_STRUCT } from "../../../spec/module-struct.ts";
import type { Hvc, LoadModule } from "../../../spec/types/action.ts";
import { hypVa, pfn } from "../../../spec/types/address.ts";
import { negative } from "../../../spec/types/errno.ts";
import type { El2Section } from "../../../spec/types/module.ts";
import { signed } from "../../../spec/types/outcome.ts";
import { type At, HOST, type Loading } from "./at.ts";
import { hcall } from "./calls.ts";
import { codeMoves } from "./code-moves.ts";
import { type Answered, answerOf } from "./kernel-program.ts";
import { frame, type Move, type World, type WorldState } from "./world.ts";

/** A section that the module does not have: the kernel keeps its start as NULL. */
const ABSENT: El2Section = { name: ".hyp.bss", kernVa: undefined, pfns: [], prot: 6 };
const ENOEXEC = { errno: negative("ENOEXEC"), why: "no ELF file", early: true } as const;
const ENOENT = { errno: negative("ENOENT"), why: "unknown symbol", early: false } as const;

/** Where the code begins within its page, and what the module registers. */
const INIT_OFFSET = 8n;
const HANDLER_OFFSET = 0x40n;

/** finit_module of one name: good files, and files that the loader refuses. */
export function startLoading(world: World, cpu: number, name: string): readonly Move[] {
  const module = world.modules.find((known) => known.name === name);
  if (module === undefined) return [];
  const load = (
    choice: string,
    sections: readonly El2Section[],
    refused: LoadModule["refused"],
  ): Move => ({
    cpu,
    choice,
    action: { kind: "load_module", name, sections, hasInit: true, hasExit: true, refused },
  });
  return [
    load("file", module.sections, undefined),
    load("file without .hyp.bss", [...module.sections, ABSENT], undefined),
    load("bad file", [], ENOEXEC),
    load("bad symbol", [], ENOENT),
  ];
}

const sectionsOf = (state: WorldState, name: string): readonly El2Section[] =>
  state.modules.get(name)?.sections ?? [];
const codeOf = (state: WorldState, name: string): El2Section | undefined =>
  sectionsOf(state, name).find(({ kernVa }) => kernVa !== undefined);

/** What the init does before it returns: anything that it can, in any order. */
function initMoves(world: World, cpu: number, state: WorldState, at: Loading): readonly Move[] {
  const { system, size } = world;
  const { name, value, base } = at;
  const register = (choice: string, address: bigint): Move => ({
    cpu,
    choice,
    action: hcall(system, cpu, "__pkvm_register_hcall", address),
  });
  const moves: Move[] = [
    { cpu, choice: "returns 0", action: undefined },
    { cpu, choice: "returns -EINVAL", action: undefined },
  ];
  // A load that failed can be tried again; addresses are not given back, so not for ever.
  const canRetry = value !== 0 && state.el2.reservations.length <= world.modules.length;
  if (value === undefined || canRetry) {
    moves.push({ cpu, choice: "load", action: { kind: "__pkvm_load_el2_module", name } });
  }
  if (state.dispatch.dynamicHcalls.length < size.calls) {
    moves.push(register("registers", base + HANDLER_OFFSET), register("registers NULL", 0n));
  }
  if (!state.boot.iommuFinalised) {
    moves.push({ cpu, choice: "", action: { kind: "pkvm_iommu_finalize", value: 0 } });
  }
  return moves;
}

/** What comes next while a module is loaded. */
export function loadingMoves(
  world: World,
  cpu: number,
  state: WorldState,
  at: Loading,
): readonly Move[] {
  const { system, size } = world;
  const { name, base } = at;
  const fault = (call: string): readonly Move[] =>
    state.faults < size.faults ? [{ cpu, choice: `${call} fails`, action: undefined }] : [];
  const call = (hypercall: string, ...args: readonly bigint[]): readonly Move[] => [
    { cpu, choice: "", action: hcall(system, cpu, hypercall, ...args) },
    ...fault(hypercall),
  ];
  // Without a guard, a file that has no code gets this far.
  const page = codeOf(state, name)?.pfns[0] ?? pfn(0);
  switch (at.step) {
    case "init":
      return initMoves(world, cpu, state, at);
    case "reserve":
      return call("__pkvm_alloc_module_va", 1n);
    case "token":
      return [
        { cpu, choice: "", action: { kind: "el2_module_reserved", name, base: hypVa(base) } },
      ];
    case "imports":
      return [0, negative("EINVAL"), negative("ERANGE")].map((value) => ({
        cpu,
        choice: "",
        action: { kind: "pkvm_reloc_imported_symbols", name, value },
      }));
    case "share":
      return [{ cpu, choice: "", action: hcall(system, cpu, "__pkvm_host_share_hyp", STRUCT) }];
    case "unshare":
      return [{ cpu, choice: "", action: hcall(system, cpu, "__pkvm_host_unshare_hyp", STRUCT) }];
    case "map": {
      const prot = BigInt(codeOf(state, name)?.prot ?? 0);
      return call("__pkvm_map_module_page", frame(page), base, prot);
    }
    case "start":
      return [{ cpu, choice: "", action: initCall(world, cpu, base) }];
    case "code":
      return [...codeMoves(world, cpu, state), ...returns(cpu)];
    case "unmap": {
      const address = BigInt.asUintN(64, unmapAddress(world, state, at));
      return [
        {
          cpu,
          choice: "",
          action: hcall(system, cpu, "__pkvm_unmap_module_page", frame(page), address),
        },
      ];
    }
    case "loaded":
      return [
        { cpu, choice: "", action: { kind: "el2_module_loaded", name, value: at.value ?? 0 } },
      ];
    case "return":
      return [
        { cpu, choice: "", action: { kind: "module_init_returned", name, value: at.value ?? 0 } },
      ];
  }
}

/** The page that the host shares a structure in, and the kernel's address of it. */
const STRUCT = 0x5_0f00n;
const STRUCT_AT = 0xffff_ff80_0000_0000n + (STRUCT << 12n) - 0x4000_0000n;

const takesStruct = ({ system }: World): boolean =>
  branchOf(system).initArgument === "shared struct";

/** EL2 is told where the init function is, or reads it out of the structure. */
function initCall(world: World, cpu: number, base: bigint): Hvc {
  if (!takesStruct(world)) {
    return hcall(world.system, cpu, "__pkvm_init_module", base + INIT_OFFSET);
  }
  const at = STRUCT << 12n;
  const words = new Map([
    [at + MODULE_STRUCT.spanStart, 0n],
    [at + MODULE_STRUCT.hypVa, base],
    [at + MODULE_STRUCT.init, INIT_OFFSET],
  ]);
  return { ...hcall(world.system, cpu, "__pkvm_init_module", STRUCT_AT), words };
}

/** The EL2 init answers what it likes. */
const returns = (cpu: number): readonly Move[] =>
  [0, negative("EINVAL")].map((value) => ({
    cpu,
    choice: "",
    action: { kind: "el2_init_returned", cpu, value: BigInt.asUintN(64, BigInt(value)) },
  }));

/**
 * The address from which a load is taken back. The branches up to 6.12 count it from the first
 * section of a table whose absent ones come first (F1).
 */
function unmapAddress({ system }: World, state: WorldState, { name, base }: Loading): bigint {
  const unshifted =
    branchOf(system).unmapsFromUnshiftedTable &&
    !overridden(system, "a failed load is cleaned up where it was mapped");
  const isFirst = sectionsOf(state, name).some(({ kernVa }) => kernVa === undefined);
  return unshifted && isFirst ? base + (codeOf(state, name)?.kernVa ?? 0n) : base;
}

const isFault = (choice: string): boolean => choice.endsWith(" fails");

/** Where the CPU is after a move of the loading. */
export function continueLoading(world: World, at: Loading, answered: Answered): At {
  const { pre, choice, outcome } = answered;
  const value = isFault(choice) ? negative("EPERM") : answerOf(outcome);
  const to = (step: Loading["step"], change: Partial<Loading> = {}): At => ({
    ...at,
    ...change,
    step,
  });
  const shares = takesStruct(world);
  const fails = (errno: number): At => to("loaded", { value: errno });
  /** What was shared is taken back first, whatever became of the load. */
  const ends = (errno: number): At => to(shares ? "unshare" : afterCode(errno), { value: errno });
  const isMapped = pre.el2.mappings.has(hypVa(at.base));
  const afterCode = (errno: number) => (errno !== 0 && isMapped ? "unmap" : "loaded");
  switch (at.step) {
    case "init":
      return afterInitMove(at, choice, outcome?.kind === "returned" ? value : 0, to);
    case "reserve": {
      const base = isFault(choice) || outcome?.kind !== "hcall" ? 0n : signed(outcome.x1 ?? 0n);
      return base <= 0n ? fails(negative("ENOMEM")) : to("token", { base });
    }
    case "token":
      return to(branchOf(world.system).importsBetweenModules ? "imports" : "map");
    case "imports":
      // The load returns here, without a word to anyone.
      return value === 0 ? to(shares ? "share" : "map") : to("init", { value });
    case "share":
      return value === 0 ? to("map") : fails(value);
    case "unshare":
      return to(afterCode(at.value ?? 0));
    case "map":
      return value === 0 ? to("start") : ends(value);
    case "start":
      return to("code");
    case "code":
      if (outcome?.kind !== "hcall") return at;
      return ends(value);
    case "unmap":
      return to("loaded");
    case "loaded":
      return to("init");
    case "return":
      return goBack(at.back, at.value ?? 0);
  }
}

/** The file was taken or refused, or the init did one thing. */
function afterInitMove(
  at: Loading,
  choice: string,
  value: number,
  to: (step: Loading["step"], change?: Partial<Loading>) => At,
): At {
  if (choice.startsWith("file") || choice.startsWith("bad")) {
    return value === 0 ? at : goBack(at.back, value);
  }
  if (choice === "returns 0") return to("return", { value: 0 });
  if (choice === "returns -EINVAL") return to("return", { value: negative("EINVAL") });
  if (choice === "load") return value === 0 ? to("reserve") : to("init", { value });
  return at;
}

/** modprobe hears of a failure as status 1; insmod is done. */
function goBack(to: Loading["back"], value: number): At {
  if (to === "insmod") return HOST;
  return { at: "exit", n: to, status: value < 0 ? 256 : 0 };
}
