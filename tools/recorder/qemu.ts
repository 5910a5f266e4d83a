// Builds the harness and runs batches in QEMU, one process a batch.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { layoutHeader, registerAccess } from "./harness-text.ts";
import { LAYOUT } from "./layout.ts";
import type { Oracle } from "./oracles.ts";

const QEMU = "qemu-system-aarch64";
const GCC = "aarch64-linux-gnu-gcc";
const SOURCES = fileURLToPath(new URL("harness/", import.meta.url));
const BATCH_SECONDS = 180;

const COMPILE = [
  ...["-O2", "-march=armv8.6-a+memtag", "-mgeneral-regs-only", "-mstrict-align"],
  ...["-ffreestanding", "-fno-builtin", "-fno-tree-loop-distribute-patterns"],
  ...["-fno-stack-protector", "-fno-asynchronous-unwind-tables", "-mbranch-protection=none"],
  ...["-static", "-nostdlib", "-Wl,--build-id=none", "-Wl,-z,max-page-size=4096"],
  ...["-Wl,--no-warn-rwx-segments", "-I."],
];

/** A harness for one processor, in a folder of its own. */
export interface Harness {
  readonly oracle: Oracle;
  readonly folder: string;
}

/** A piece of memory to load before a batch starts. */
export interface MemoryImage {
  readonly address: bigint;
  readonly bytes: Uint8Array;
}

/** The version line of QEMU. */
export function qemuVersion(): string {
  return execFileSync(QEMU, ["--version"], { encoding: "utf8" }).split("\n")[0]!;
}

/** Builds the harness in a temporary folder; the caller disposes of it. */
export function buildHarness(oracle: Oracle): Harness {
  const folder = mkdtempSync(join(tmpdir(), `pkvm-spec-recorder-${oracle.name}-`));
  const { features } = oracle.cpuModel;
  writeFileSync(join(folder, "layout.h"), layoutHeader(features));
  writeFileSync(join(folder, "registers.S"), registerAccess(features));
  for (const name of ["entry.S", "batch.c", "link.ld"])
    copyFileSync(join(SOURCES, name), join(folder, name));
  const preprocess = ["-E", "-P", "-x", "c", "-include", "layout.h", "-o", "harness.ld", "link.ld"];
  execFileSync(GCC, preprocess, { cwd: folder });
  const sources = ["entry.S", "registers.S", "batch.c"];
  execFileSync(GCC, [...COMPILE, "-T", "harness.ld", ...sources, "-o", "harness.elf"], {
    cwd: folder,
  });
  return { oracle, folder };
}

/** The arguments of QEMU, without those that name files. */
export function qemuArguments(oracle: Oracle): string[] {
  const machine = `virt,virtualization=on,gic-version=3${oracle.machine}`;
  return [
    ...["-M", machine, "-cpu", oracle.cpu, "-m", "3G", "-accel", "tcg,thread=single"],
    ...["-nodefaults", "-display", "none", "-serial", "none", "-monitor", "none"],
    ...["-semihosting-config", "enable=on,target=native"],
  ];
}

/** Runs one batch and returns the bytes of its results. */
export function runBatch(
  harness: Harness,
  batch: Uint8Array,
  images: readonly MemoryImage[],
): Uint8Array {
  const { folder, oracle } = harness;
  const loaded = [{ address: BigInt(LAYOUT.BATCH_INPUT), bytes: batch }, ...images];
  const loaders = loaded.flatMap(({ address, bytes }, i) => {
    writeFileSync(join(folder, `image-${i}`), bytes);
    const where = `addr=0x${address.toString(16)}`;
    return ["-device", `loader,file=image-${i},${where},force-raw=on`];
  });
  rmSync(join(folder, "results"), { force: true });
  execFileSync(QEMU, [...qemuArguments(oracle), "-kernel", "harness.elf", ...loaders], {
    cwd: folder,
    timeout: 1000 * BATCH_SECONDS,
    killSignal: "SIGKILL",
    stdio: ["ignore", "inherit", "inherit"],
  });
  return readFileSync(join(folder, "results"));
}

/** Removes the harness and everything that it wrote. */
export function removeHarness(harness: Harness): void {
  rmSync(harness.folder, { recursive: true, force: true });
}
