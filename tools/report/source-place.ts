// Where in a module's source a step happened: file and line, function, instruction.

import type { SourcePlace } from "../../counterexamples/counterexample.ts";
import type { ModuleFiles } from "../../counterexamples/run-checked.ts";
import { type LineTable, lineAt, readLineTable } from "../../model/elf/dwarf-line.ts";
import { contentsOf, type ElfFile, readElf, sectionNamed } from "../../model/elf/read.ts";
import { locate, symbolIndex } from "../../model/elf/symbols.ts";
import type { Run } from "../../model/log.ts";
import type { ModelStep } from "../../model/step.ts";
import type { Hyp } from "../../spec/types/hyp.ts";
import type { Disassembler } from "../disassembler.ts";

/** A place in the code of a module file. */
export interface CodePlace {
  readonly module: string;
  readonly section: string;
  readonly offset: number;
}

const PAGE = 4096n;

/** The section and offset that EL2 sees at an address; undefined where no module is mapped. */
export function placeAtEl2(hyp: Hyp, va: bigint): CodePlace | undefined {
  const page = va - (va % PAGE);
  const mapped = [...hyp.el2.mappings].find(([at]) => at === page)?.[1];
  if (mapped === undefined) return undefined;
  for (const { name, sections } of hyp.modules.values()) {
    for (const { name: section, pfns } of sections) {
      const index = pfns.indexOf(mapped.pfn);
      if (index < 0) continue;
      return { module: name, section, offset: index * Number(PAGE) + Number(va % PAGE) };
    }
  }
  return undefined;
}

/** The section and offset at a kernel address. */
function placeAtEl1({ loaded }: Pick<Run, "loaded">, va: bigint): CodePlace | undefined {
  // What is loaded comes after what was freed: where both lay at the address, it is there now.
  for (const [module, { sections }] of [...loaded].reverse()) {
    for (const { name: section, address, size } of sections) {
      const offset = va - address;
      if (offset >= 0n && offset < BigInt(size)) {
        return { module, section, offset: Number(offset) };
      }
    }
  }
  return undefined;
}

/** x30 is the return address: the call is one instruction before it. */
const CALL_BYTES = 4n;

/** The call that made an early mapping which is there still. */
function earlyMappingOf({ log }: Pick<Run, "log">): CodePlace | undefined {
  const left = new Map<bigint, CodePlace | undefined>();
  for (const event of log) {
    if (event.kind !== "step") continue;
    const { action, outcome, pre } = event.step;
    if (action.kind !== "op" || outcome.kind !== "returned") continue;
    if (action.op === "linear_unmap_early") left.delete(action.args[0] ?? 0n);
    if (action.op !== "linear_map_early" || outcome.value === 0n) continue;
    left.set(outcome.value, action.from === undefined ? undefined : placeAtEl2(pre, action.from));
  }
  return [...left.values()].at(-1);
}

/** The instruction of module code that a step is about: the one that did it, or the call of it. */
export function codePlaceOf(
  step: ModelStep,
  run: Pick<Run, "loaded" | "log">,
): CodePlace | undefined {
  const { action, pre } = step;
  switch (action.kind) {
    case "el2_exception":
      return (
        placeAtEl2(pre, action.elr) ??
        (action.from === undefined ? undefined : placeAtEl2(pre, action.from)) ??
        (action.lr === undefined ? undefined : placeAtEl2(pre, action.lr - CALL_BYTES))
      );
    case "pkvm_drop_host_privileges":
      return earlyMappingOf(run);
    case "hvc":
      return action.caller === undefined ? undefined : placeAtEl1(run, action.caller.from);
    case "module_init_returned":
      return action.from === undefined ? undefined : placeAtEl1(run, action.from);
    case "call_repeated":
    case "op_failed":
    case "secrets_varied":
    case "el2_access":
    case "el2_init_returned":
    case "handler_returned":
    case "host_perm_fault_handler_returned":
    case "default_trap_handler_returned":
    case "op":
      return action.from === undefined ? undefined : placeAtEl2(pre, action.from);
    case "host_oops":
      return placeAtEl1(run, action.elr);
    case "budget_spent":
      if (action.pc === undefined) return undefined;
      return placeAtEl2(pre, action.pc) ?? placeAtEl1(run, action.pc);
    default:
      return undefined;
  }
}

/** What is read of one module file for its places, once. */
interface Sources {
  readonly elf: ElfFile;
  readonly lines: LineTable | undefined;
}

/** Tells a place; a file without debug information still has its functions. */
export type PlaceTeller = (place: CodePlace, run: Pick<Run, "loaded">) => SourcePlace;

/** The word at a place: as relocated while the module is loaded, else as in the file. */
function wordAt({ elf }: Sources, place: CodePlace, run: Pick<Run, "loaded">): number | undefined {
  const { module, section, offset } = place;
  const loaded = run.loaded.get(module)?.sections.find(({ name }) => name === section);
  const inFile = sectionNamed(elf, section);
  const bytes = loaded?.bytes ?? (inFile && contentsOf(elf, inFile));
  if (bytes === undefined || offset + 4 > bytes.length) return undefined;
  return new DataView(bytes.buffer, bytes.byteOffset).getUint32(offset, true);
}

/** The function and the offset in it, as the file's symbols have them. */
function functionAt(
  { elf }: Sources,
  { section, offset }: CodePlace,
): Pick<SourcePlace, "function" | "offset"> {
  const found = sectionNamed(elf, section);
  const values = elf.symbols.map((symbol) => symbol.value);
  const whole = {
    index: found?.index ?? 0,
    name: section,
    flags: 0,
    region: "core" as const,
    address: 0n as never,
    size: found?.size ?? 0,
    bytes: new Uint8Array(0),
  };
  const at = locate(symbolIndex(elf, [whole], values), BigInt(offset));
  const name = (at?.name ?? section).replace(/^__kvm_nvhe_/, "");
  return { function: name, offset: Number(at?.offset ?? offset) };
}

/** Tells places of the modules in these files; `names` says which file a module came from. */
export function placeTeller(
  names: ReadonlyMap<string, string>,
  files: ModuleFiles,
  disassemble: Disassembler,
): PlaceTeller {
  const known = new Map<string, Sources | undefined>();
  const sourcesOf = (module: string): Sources | undefined => {
    if (!known.has(module)) known.set(module, readSources(files.get(names.get(module) ?? "")));
    return known.get(module);
  };
  const told = new Map<string, SourcePlace>();
  const tell: PlaceTeller = (place, run) => {
    const { module, section, offset } = place;
    const sources = sourcesOf(module);
    if (sources === undefined) return { module, function: section, offset };
    const index = sectionNamed(sources.elf, section)?.index ?? 0;
    const line = sources.lines && lineAt(sources.lines, index, offset);
    const word = wordAt(sources, place, run);
    const instruction = word === undefined ? undefined : disassemble(word);
    return {
      module,
      ...functionAt(sources, place),
      ...line,
      ...(instruction === undefined ? {} : { instruction }),
    };
  };
  return (place, run) => {
    const key = `${place.module} ${place.section} ${place.offset}`;
    const known = told.get(key) ?? tell(place, run);
    told.set(key, known);
    return known;
  };
}

/** What is read of a module file; a line table that cannot be read is as good as none. */
function readSources(bytes: Uint8Array | undefined): Sources | undefined {
  const read = bytes && readElf(bytes);
  if (read?.ok !== true) return undefined;
  const lines = readLineTable(read.elf);
  return { elf: read.elf, lines: lines.ok ? lines.table : undefined };
}

/** The source line, the function and the instruction, as far as they are known, in one line. */
export function placeLine(place: SourcePlace): string {
  const { module, offset, file, line, instruction } = place;
  const plus = offset === 0 ? "" : `+0x${offset.toString(16)}`;
  return [
    file === undefined ? module : `${file}:${line}`,
    `${place.function}${plus}`,
    ...(instruction === undefined ? [] : [instruction]),
  ].join("  ");
}
