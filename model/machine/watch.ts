// Looks at module code at EL2, instruction by instruction: what it touches, what it leaves behind.

import type { Core } from "../../cpu/state.ts";
import type { HandlerReturned } from "../../spec/types/action.ts";
import { hypVa, PAGE_SHIFT, PAGE_SIZE, type Pfn, pfn } from "../../spec/types/address.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Taken } from "../../spec/types/observed-action.ts";
import { SMCCC_RET_SUCCESS } from "../../spec/types/outcome.ts";
import { pageOf as pageState } from "../ownership/page-of.ts";
import { translate } from "../pgtable/table.ts";
import { type AnswerWriters, watchAnswer } from "./answer-writer.ts";
import { dataAccess, indexOffset } from "./data-access.ts";
import { fixmapSlot, hostContext, hostContextPa, hypStack, MODULE_OPS } from "./layout.ts";
import type { Machine } from "./machine.ts";
import { over, perform, type System } from "./system.ts";

/** What was seen so far. Mutable: one run owns it. */
export interface Watch {
  /** The pages that an instruction was seen at, with the ownership of all pages at that time. */
  readonly seen: Map<string, Hyp["pages"]>;
  /** The last instruction that wrote a word of memory, by its physical address. */
  readonly writers: Map<bigint, bigint>;
  /** The last call of fixmap_map, by CPU. */
  readonly fixmaps: Map<number, bigint>;
  /** The instruction that each CPU executed last at EL2. */
  readonly at: Map<number, bigint>;
  /** Who made what the init functions return. */
  readonly answers: AnswerWriters;
  /** Who made what the last callback returned. */
  answered: bigint | undefined;
  /** What was held when the handler of a CPU was entered. */
  readonly atEntry: Map<number, Taken>;
  /** The last call of an op that takes something for the module. */
  taking: bigint | undefined;
  /** The last call of the host, and what it took. */
  lastCall: LastCall | undefined;
  /** Registers of the host that code at EL2 read: bit n is xn. */
  registersRead: number;
  /** Instructions that were executed, by address, and how many. */
  readonly executed: Set<bigint>;
  count: number;
  /** Where another CPU could matter: before instructions that touch data, or call an op. */
  readonly points: number[];
  /** Words of memory that are read and that the host can write, by physical address. */
  readonly hostWords: Set<bigint>;
  /** Pages that code reads since the host's last action, and the modules whose code it is. */
  readonly reads: Map<Pfn, Set<string | undefined>>;
}

/** A call that came back: what it was given and what it answered, what it held before and after. */
interface LastCall {
  readonly key: string;
  readonly taken: Taken;
}

export const createWatch = (): Watch => ({
  seen: new Map(),
  writers: new Map(),
  fixmaps: new Map(),
  at: new Map(),
  answers: new Map(),
  answered: undefined,
  atEntry: new Map(),
  taking: undefined,
  lastCall: undefined,
  registersRead: 0,
  executed: new Set(),
  count: 0,
  points: [],
  hostWords: new Set(),
  reads: new Map(),
});

/** What was read before does not count for what the host does now. */
export const forgetReads = ({ watch }: System): void => watch?.reads.clear();

/** Takes note that code reads a page. */
function noteRead({ watch, hyp }: System, from: bigint, page: Pfn): void {
  const readers = watch?.reads.get(page) ?? new Set();
  watch?.reads.set(page, readers.add(moduleAt(hyp, from)));
}

const CALL_BYTES = 4n;

/** The instruction that called the function at whose entry a CPU is: a tail call is seen only. */
export const calledFrom = ({ machine, watch }: System, cpu: number): bigint =>
  watch?.at.get(cpu) ?? BigInt.asUintN(64, machine.cores[cpu]!.x[30]! - CALL_BYTES);

/** Where EL2 has an address; undefined where nothing is mapped, and above what it translates. */
const hypPa = ({ physical, hypTable }: Machine, va: bigint): bigint | undefined =>
  va >> BigInt(hypTable.inputBits) === 0n ? translate(physical, hypTable, va) : undefined;

const pageOf = (va: bigint): bigint => va - (va % PAGE_SIZE);

/** A register as an address is made of it: 31 is the stack pointer. */
const baseValue = (core: Core, n: number): bigint => (n === 31 ? core.sp[2]! : core.x[n]!);

/** The address that a load or store word uses now; undefined for other words. */
function accessOf(
  core: Core,
  pc: bigint,
  word: number,
): { readonly va: bigint; readonly sizeBytes: number; readonly store: boolean } | undefined {
  const access = dataAccess(word);
  if (access === undefined || access.kind === "tags") return undefined;
  const { base, offset, index, sizeBytes, load, kind } = access;
  const from = base === undefined ? pc : baseValue(core, base);
  const moved =
    index === undefined
      ? offset
      : indexOffset(index, index.register === 31 ? 0n : core.x[index.register]!);
  const va = BigInt.asUintN(64, from + moved);
  return { va, sizeBytes, store: !load || kind === "atomic" };
}

/** The module whose section lies at an EL2 address. */
function moduleAt({ el2, modules }: Hyp, va: bigint): string | undefined {
  const mapping = el2.mappings.get(hypVa(pageOf(va)));
  if (mapping === undefined) return undefined;
  for (const { name, sections } of modules.values()) {
    if (sections.some(({ pfns }) => pfns.includes(mapping.pfn))) return name;
  }
  return undefined;
}

/** Whether an address is the code's own: its stack, the host's context, a section of its module. */
function isOwn(system: System, cpu: number, pc: bigint, va: bigint): boolean {
  const page = pageOf(va);
  if (page === hypStack(cpu).bottom || page === hostContext(cpu)) return true;
  const module = moduleAt(system.hyp, va);
  return module !== undefined && module === moduleAt(system.hyp, pc);
}

/** Makes a step of one access to one page, unless the same was seen in the same state. */
function touch(system: System, cpu: number, from: bigint, va: bigint, store: boolean): void {
  const { machine, hyp, watch } = system;
  if (watch === undefined || isOwn(system, cpu, from, va)) return;
  const pa = hypPa(machine, va);
  if (pa === undefined) return; // it will fault, and that is a step of its own
  const page: Pfn = pfn(Number(pa >> PAGE_SHIFT));
  const inTable = pageOf(va) === MODULE_OPS;
  const slot = inTable ? Number((va - MODULE_OPS) / 8n) : undefined;
  const key = `${cpu} ${from} ${page} ${store} ${slot}`;
  if (watch.seen.get(key) === hyp.pages) return;
  watch.seen.set(key, hyp.pages);
  const action = { kind: "el2_access", cpu, va, pfn: page, store, from } as const;
  perform(system, slot === undefined ? action : { ...action, slot });
}

/** Takes note of which registers of the host are read, and of who writes memory. */
function note(
  system: System,
  cpu: number,
  from: bigint,
  access: ReturnType<typeof accessOf>,
): void {
  const { watch, machine } = system;
  if (watch === undefined || access === undefined) return;
  const { va, sizeBytes, store } = access;
  const inContext = va - hostContext(cpu);
  if (!store && inContext >= 0n && inContext < 8n * 31n) {
    const first = Number(inContext >> 3n);
    watch.registersRead |= 1 << first;
    if (sizeBytes > 8) watch.registersRead |= 2 << first;
  }
  const isPrivate = pageOf(va) === hypStack(cpu).bottom || pageOf(va) === hostContext(cpu);
  if (!isPrivate) watch.points.push(watch.count - 1);
  const pa = hypPa(machine, va);
  if (pa === undefined) return;
  if (!store) {
    const page = pfn(Number(pa >> PAGE_SHIFT));
    if (!isPrivate) noteRead(system, from, page);
    if (pageState(system.hyp, page).host === "SHARED_OWNED") watch.hostWords.add(pa & ~7n);
    return;
  }
  for (let at = pa & ~7n; at < pa + BigInt(sizeBytes); at += 8n) watch.writers.set(at, from);
}

/** Called before each instruction that is executed on a CPU. */
export function watchInstruction(system: System, cpu: number, pc: bigint, word: number): void {
  const core = system.machine.cores[cpu]!;
  const { watch } = system;
  if (watch === undefined || over(system)) return;
  watchAnswer(watch.answers, cpu, pc, word, core);
  if (core.pstate.EL !== 2) return;
  watch.executed.add(pc);
  watch.at.set(cpu, pc);
  watch.count += 1;
  const access = accessOf(core, pc, word);
  if (access === undefined) return;
  note(system, cpu, pc, access);
  const { va, sizeBytes, store } = access;
  touch(system, cpu, pc, va, store);
  const last = BigInt.asUintN(64, va + BigInt(sizeBytes) - 1n);
  if (pageOf(last) !== pageOf(va)) touch(system, cpu, pc, last, store);
}

/** NON-SPEC: of a copy so many pages are looked at; a longer one is no copy that comes back. */
const PAGES_MAX = 64n;

/** Takes note that an op reads a range for the code that calls it. */
function readRange(system: System, from: bigint, start: bigint, size: bigint): void {
  const end = start + (size < PAGES_MAX * PAGE_SIZE ? size : PAGES_MAX * PAGE_SIZE);
  for (let at = start; at < end; at = pageOf(at) + PAGE_SIZE) {
    const pa = hypPa(system.machine, BigInt.asUintN(64, at));
    if (pa !== undefined) noteRead(system, from, pfn(Number(pa >> PAGE_SHIFT)));
  }
}

/** Ops after which a module holds more than before. */
const TAKING: ReadonlySet<string> = new Set([
  "alloc_module_va",
  "create_private_mapping",
  "host_donate_hyp",
  "pin_shared_mem",
]);

/** What an op touches on behalf of the module that calls it. */
export function watchOp(
  system: System,
  call: {
    readonly cpu: number;
    readonly op: string;
    readonly args: readonly bigint[];
    readonly from: bigint;
  },
): void {
  const { watch } = system;
  if (watch === undefined) return;
  const { cpu, op, args, from } = call;
  if (op === "fixmap_map") watch.fixmaps.set(cpu, from);
  if (TAKING.has(op)) watch.taking = from;
  watch.points.push(watch.count);
  if (op === "puts") readRange(system, from, args[0] ?? 0n, PAGE_SIZE);
  if (op !== "memcpy" && op !== "memset") return;
  const [to = 0n, source = 0n, size = 0n] = args;
  if (size === 0n) return;
  const ranges = [{ start: to, store: true }];
  if (op === "memcpy") {
    ranges.push({ start: source, store: false });
    readRange(system, from, source, size);
  }
  for (const { start, store } of ranges) {
    const end = start + (size < PAGES_MAX * PAGE_SIZE ? size : PAGES_MAX * PAGE_SIZE);
    for (let at = start; at < end; at = pageOf(at) + PAGE_SIZE) {
      touch(system, cpu, from, BigInt.asUintN(64, at), store);
    }
    if (!store) continue;
    const pa = hypPa(system.machine, start);
    if (pa !== undefined) {
      for (let at = pa & ~7n; at < pa + (end - start); at += 8n) watch.writers.set(at, from);
    }
  }
}

/** What modules hold of a system: pins, pages of the host, addresses. */
function held({ hyp }: System): Taken {
  let pins = 0;
  let pages = 0;
  for (const { refcount, hyp: el2 } of hyp.pages.values()) {
    pins += refcount;
    if (el2 === "OWNED") pages += 1;
  }
  return { pins, pages, addresses: Number(hyp.el2.nextFree >> PAGE_SHIFT) };
}

const difference = (after: Taken, before: Taken): Taken => ({
  pins: after.pins - before.pins,
  pages: after.pages - before.pages,
  addresses: after.addresses - before.addresses,
});

/** A function of a module is entered at EL2: nothing of it was executed yet. */
export function enteringEl2({ watch }: System, cpu: number): void {
  watch?.at.delete(cpu);
}

/** A handler is entered: what others wrote to the host's x0, or took, is not its doing. */
export function entering(system: System, cpu: number): void {
  const { watch } = system;
  if (watch === undefined) return;
  enteringEl2(system, cpu);
  watch.writers.delete(hostContextPa(cpu));
  watch.fixmaps.delete(cpu);
  watch.taking = undefined;
  watch.atEntry.set(cpu, held(system));
}

/** What a handler that comes back has left in the fixmap or taken, and who wrote the host's x0. */
export function leftBehind(
  system: System,
  cpu: number,
  x0: bigint | undefined,
): Pick<HandlerReturned, "fixmap" | "taken" | "from"> {
  const { machine, watch } = system;
  if (watch === undefined) return {};
  const fixmap = hypPa(machine, fixmapSlot(cpu));
  const before = system.interleaving === undefined ? watch.atEntry.get(cpu) : undefined;
  const taken = before && difference(held(system), before);
  const wroteX0 = watch.writers.get(hostContextPa(cpu));
  const took = x0 === SMCCC_RET_SUCCESS ? watch.taking : undefined;
  const last = x0 === SMCCC_RET_SUCCESS ? undefined : watch.at.get(cpu);
  const from = fixmap === undefined ? (took ?? wroteX0 ?? last) : watch.fixmaps.get(cpu);
  return {
    ...(fixmap === undefined ? {} : { fixmap }),
    ...(taken === undefined ? {} : { taken }),
    ...(from === undefined ? {} : { from }),
  };
}

/** What is held before a call; the call itself is told to `watchCall` when it is back. */
export const beforeCall = (system: System): Taken | undefined =>
  system.watch === undefined ? undefined : held(system);

/** A call of the host is back: if it repeats the one before it, both are a step together. */
export function watchCall(
  system: System,
  cpu: number,
  before: Taken | undefined,
  call: { readonly kind: string; readonly x: readonly bigint[] },
  answer: readonly bigint[] | undefined,
): void {
  const { watch } = system;
  if (watch === undefined || before === undefined) return;
  const { lastCall } = watch;
  watch.lastCall = undefined;
  if (answer === undefined || over(system)) return;
  const { kind, x } = call;
  const key = `${kind} ${x.join()} ${answer.join()}`;
  const taken = difference(held(system), before);
  if (lastCall?.key === key) {
    const from = watch.taking;
    const action = { kind: "call_repeated", cpu, id: x[0] ?? 0n } as const;
    const both = { ...action, first: lastCall.taken, second: taken };
    perform(system, from === undefined ? both : { ...both, from });
  }
  watch.lastCall = { key, taken };
}
