// Batches of programs in QEMU: the harness, what it reads and what it writes.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { qemuArguments } from "../qemu.ts";
import { DUMPED, dataPattern, PLACES, PROGRAM_ORACLE, SETTINGS, TABLES_IMAGE } from "./machine.ts";
import { OUTCOME_DOUBLEWORDS, type Outcome, type Program } from "./program.ts";

const QEMU = "qemu-system-aarch64";
const GCC = "aarch64-linux-gnu-gcc";
const OBJCOPY = "aarch64-linux-gnu-objcopy";
const SOURCES = fileURLToPath(new URL("harness/", import.meta.url));
const BATCH_SECONDS = 60;

const COMPILE = [
  ...["-O2", "-march=armv8.5-a+memtag", "-mgeneral-regs-only", "-mstrict-align"],
  ...["-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns", "-fno-pie"],
  ...["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mbranch-protection=none"],
  ...["-static", "-nostdlib", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096"],
  ...["-Wl,--no-warn-rwx-segments", "-I."],
];

/** The built harness, in a folder of its own. */
export interface ProgramHarness {
  readonly folder: string;
  /** The vectors of EL1 and of EL2, which belong to every program. */
  readonly handlers: Uint8Array;
}

/** A program and its words. */
export interface Assembled {
  readonly program: Program;
  readonly words: readonly number[];
}

function registersText(): string {
  return [
    '    .section .text, "ax"',
    "    .global set_registers, dump_registers",
    "set_registers:",
    ...SETTINGS.flatMap(([name, value]) => [`    ldr x0, =${value}`, `    msr ${name}, x0`]),
    "    isb",
    "    tlbi alle1",
    "    tlbi alle2",
    "    dsb sy",
    "    isb",
    "    ret",
    "    .ltorg",
    "dump_registers:",
    ...DUMPED.flatMap((name) => [`    mrs x1, ${name}`, "    str x1, [x0], #8"]),
    "    ret",
    "",
  ].join("\n");
}

/** Builds the harness in a temporary folder; the caller disposes of it. */
export function buildProgramHarness(): ProgramHarness {
  const folder = mkdtempSync(join(tmpdir(), "pkvm-spec-programs-"));
  const gcc = (...options: string[]) => execFileSync(GCC, options, { cwd: folder });
  const numbers = Object.entries(PLACES).map(
    ([name, n]) => `#define ${name} 0x${n.toString(16)}\n`,
  );
  writeFileSync(join(folder, "layout.h"), numbers.join(""));
  writeFileSync(join(folder, "registers.S"), registersText());
  for (const name of ["trampoline.S", "handlers.S", "batch.c", "link.ld"])
    copyFileSync(join(SOURCES, name), join(folder, name));
  gcc("-E", "-P", "-x", "c", "-include", "layout.h", "-o", "harness.ld", "link.ld");
  const sources = ["trampoline.S", "registers.S", "batch.c"];
  gcc(...COMPILE, "-T", "harness.ld", ...sources, "-o", "harness.elf");
  gcc("-march=armv8.5-a", "-I.", "-c", "handlers.S", "-o", "handlers.o");
  execFileSync(OBJCOPY, ["-O", "binary", "-j", ".text", "handlers.o", "handlers.bin"], {
    cwd: folder,
  });
  return { folder, handlers: new Uint8Array(readFileSync(join(folder, "handlers.bin"))) };
}

/** Removes the harness and everything that it wrote. */
export function removeProgramHarness({ folder }: ProgramHarness): void {
  rmSync(folder, { recursive: true, force: true });
}

/** Words in doublewords; an odd number is made even, with what memory holds there anyway. */
function packWords(words: readonly number[]): bigint[] {
  const packed: bigint[] = [];
  for (let i = 0; i < words.length; i += 2)
    packed.push((BigInt(words[i + 1] ?? 0) << 32n) | BigInt(words[i]!));
  return packed;
}

function packBatch(programs: readonly Assembled[]): Uint8Array {
  const values = programs.flatMap(({ program, words }) => {
    const packed = packWords(words);
    const length = BigInt(2 * packed.length);
    return [BigInt(program.pstate), ...program.sp, ...program.x, length, ...packed];
  });
  const batch = BigUint64Array.from([BigInt(programs.length), ...values]);
  return new Uint8Array(batch.buffer);
}

/** The outcome at the start of some doublewords: those of our core are in the same order. */
export function readOutcome(values: BigUint64Array): Outcome {
  const registers = PLACES.CAPTURE_DOUBLEWORDS;
  const dumped = DUMPED.map((name, i) => [name, values[registers + i]!] as const);
  return {
    x: values.slice(0, 31),
    sp: values.slice(31, registers),
    settings: new Map(dumped),
    memory: values.slice(registers + DUMPED.length, OUTCOME_DOUBLEWORDS),
  };
}

/** Runs programs in one process of QEMU. */
export function runInQemu(
  harness: ProgramHarness,
  programs: readonly Assembled[],
  seconds = BATCH_SECONDS,
): Outcome[] {
  const { folder, handlers } = harness;
  const images = [
    [PLACES.BATCH_INPUT, packBatch(programs)],
    [PLACES.HANDLERS, handlers],
    [PLACES.PATTERN, dataPattern()],
    [Number(TABLES_IMAGE.address), TABLES_IMAGE.bytes],
  ] as const;
  const loaders = images.flatMap(([address, bytes], i) => {
    writeFileSync(join(folder, `image-${i}`), bytes);
    return ["-device", `loader,file=image-${i},addr=0x${address.toString(16)},force-raw=on`];
  });
  rmSync(join(folder, "results"), { force: true });
  const options = [...qemuArguments(PROGRAM_ORACLE), "-kernel", "harness.elf", ...loaders];
  execFileSync(QEMU, options, {
    cwd: folder,
    timeout: 1000 * seconds,
    killSignal: "SIGKILL",
    stdio: ["ignore", "inherit", "inherit"],
  });
  const results = new Uint8Array(readFileSync(join(folder, "results"))).buffer;
  return programs.map((_, i) => {
    const start = 8 * OUTCOME_DOUBLEWORDS * i;
    return readOutcome(new BigUint64Array(results, start, OUTCOME_DOUBLEWORDS));
  });
}
