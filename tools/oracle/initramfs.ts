// Builds what the kernel boots into: /init and the module that makes calls at EL1.

import { execFileSync } from "node:child_process";
import { copyFileSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { cpioArchive } from "./cpio.ts";
import { type BootFiles, OracleError } from "./live-machine.ts";
import type { KernelPackages } from "./packages.ts";

const GUEST = fileURLToPath(new URL("guest/", import.meta.url));
const CROSS = "aarch64-linux-gnu-";
const GCC = `${CROSS}gcc-12`;

/** No library, and no calls to one that the compiler thinks of itself. */
const COMPILE = [
  ...["-O2", "-Wall", "-Werror", "-ffreestanding", "-fno-builtin", "-fno-stack-protector"],
  ...["-fno-tree-loop-distribute-patterns", "-static", "-nostdlib"],
];

function tool(command: string, args: readonly string[], cwd: string): void {
  try {
    execFileSync(command, args, { cwd, stdio: ["ignore", "pipe", "pipe"] });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    throw new OracleError(`${command}: ${said.trim().split("\n").slice(0, 3).join(" / ")}`);
  }
}

/** Compiles both programs for a kernel and packs them. */
export function buildInitramfs(kernel: KernelPackages): BootFiles {
  const folder = join(kernel.root, "guest");
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of ["init.c", "el1.c", "request.h"]) {
    copyFileSync(join(GUEST, name), join(folder, name));
  }
  writeFileSync(join(folder, "Kbuild"), "obj-m := el1.o\n");
  const headers = join(kernel.root, "usr/src", `linux-headers-${kernel.release}`);
  const variables = ["ARCH=arm64", `CROSS_COMPILE=${CROSS}`, `M=${folder}`];
  tool("make", ["-s", "-C", headers, ...variables, "modules"], folder);
  tool(GCC, [...COMPILE, "-o", "init", "init.c"], folder);
  const initramfs = join(folder, "initramfs");
  const archive = cpioArchive([
    { kind: "folder", name: "dev" },
    { kind: "folder", name: "proc" },
    { kind: "character-device", name: "dev/console", device: { major: 5, minor: 1 } },
    { kind: "program", name: "init", bytes: readFileSync(join(folder, "init")) },
    { kind: "file", name: "el1.ko", bytes: readFileSync(join(folder, "el1.ko")) },
  ]);
  writeFileSync(initramfs, archive);
  return { kernel: kernel.image, initramfs };
}
