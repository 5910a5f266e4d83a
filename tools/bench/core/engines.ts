// The engines that run the kernels: ours, QEMU's two, and VIXL's simulator where it is installed.

import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { checksumText, kernelFile, runKernel } from "./kernels.ts";

/** One run of a kernel. CPU time, since others may use the machine. */
export interface Measured {
  readonly checksum: string;
  readonly cpuSeconds: number;
}

export interface Engine {
  readonly name: string;
  /** What it is, as it says itself. */
  readonly version: string;
  readonly run: (kernel: number, iterations: number) => Measured;
}

/** An engine that this machine does not have, and what would bring it. */
export interface Missing {
  readonly name: string;
  readonly wanted: string;
}

/** More than any kernel takes in a run that somebody waits for. */
const BUDGET = Number.MAX_SAFE_INTEGER;

function runOurs(kernel: number, iterations: number): Measured {
  const before = process.cpuUsage();
  const { ended, core } = runKernel(kernel, iterations, { budget: BUDGET });
  const { user, system } = process.cpuUsage(before);
  const checksum = ended.kind === "returned" ? checksumText(core.x[0] ?? 0n) : ended.kind;
  return { checksum, cpuSeconds: (user + system) / 1e6 };
}

const ours: Engine = { name: "pkvm-spec", version: `node ${process.version}`, run: runOurs };

/** Runs a command; its CPU time is what the shell's `times` says of its children. */
function runTimed(command: string, args: readonly string[]): Measured {
  const script = 'command=$1; shift; "$command" "$@" 2>&1; times';
  const { stdout } = spawnSync("sh", ["-c", script, "sh", command, ...args], { encoding: "utf8" });
  const lines = stdout.trim().split("\n");
  const children = [...(lines.at(-1) ?? "").matchAll(/(\d+)m([\d.]+)s/g)];
  const cpuSeconds = children.reduce((sum, [, m, s]) => sum + 60 * Number(m) + Number(s), 0);
  return { checksum: /[0-9a-f]{16}/.exec(stdout)?.[0] ?? `failed: ${lines[0]}`, cpuSeconds };
}

const versionOf = (command: string): string | undefined => {
  const { stdout, status } = spawnSync(command, ["--version"], { encoding: "utf8" });
  return status === 0 ? stdout.split("\n")[0] : undefined;
};

function qemuUser(): Engine | Missing {
  const name = "qemu-aarch64";
  const version = versionOf(name);
  if (version === undefined) return { name, wanted: "qemu-user" };
  const image = kernelFile("kernels-user.elf");
  const run = (kernel: number, iterations: number): Measured =>
    runTimed(name, [image, `${kernel}`, `${iterations}`]);
  return { name, version, run };
}

/** Bare metal at EL2 with the MMU off, as our core runs the flat image. */
function qemuSystem(): Engine | Missing {
  const name = "qemu-system-aarch64";
  const version = versionOf(name);
  if (version === undefined) return { name, wanted: "qemu-system-arm" };
  const poke = (address: number, value: number): readonly string[] => [
    "-device",
    `loader,addr=${address},data=${value},data-len=4`,
  ];
  const quiet = ["-nodefaults", "-display", "none", "-serial", "none", "-monitor", "none"];
  const run = (kernel: number, iterations: number): Measured =>
    runTimed(name, [
      ...["-M", "virt,virtualization=on", "-cpu", "max", "-m", "512", ...quiet],
      ...["-semihosting-config", "enable=on,target=native"],
      ...["-kernel", kernelFile("kernels-system.elf")],
      ...poke(0x5000_0000, kernel),
      ...poke(0x5000_0004, iterations),
    ]);
  return { name, version, run };
}

const pkgConfig = (...args: readonly string[]): string | undefined => {
  const { stdout, status } = spawnSync("pkg-config", [...args, "vixl"], { encoding: "utf8" });
  return status === 0 ? stdout.trim() : undefined;
};

/** Builds the driver into a folder, if the simulator's library is there. */
function vixl(folder: string): Engine | Missing {
  const name = "VIXL simulator";
  const version = pkgConfig("--modversion");
  const flags = pkgConfig("--cflags", "--libs");
  if (version === undefined || flags === undefined)
    return { name, wanted: "libvixl-dev, pkg-config and g++" };
  const driver = join(folder, "run-vixl");
  const source = fileURLToPath(new URL("run-vixl.cc", import.meta.url));
  const options = flags.split(/\s+/);
  const built = spawnSync("g++", ["-O2", "-std=c++17", source, "-o", driver, ...options]);
  if (built.status !== 0) return { name, wanted: "libvixl-dev and g++" };
  const run = (kernel: number, iterations: number): Measured => {
    const args = [kernelFile("kernels.bin"), `${kernel}`, `${iterations}`];
    const [checksum = "", seconds] = spawnSync(driver, args, { encoding: "utf8" }).stdout.split(
      " ",
    );
    return { checksum, cpuSeconds: Number(seconds) };
  };
  return { name, version: `VIXL ${version}`, run };
}

/** Calls `use` with the engines that are here and the names of those that are not. */
export function withEngines<T>(
  use: (engines: readonly Engine[], missing: readonly Missing[]) => T,
): T {
  const folder = mkdtempSync(join(tmpdir(), "bench-core-"));
  try {
    const all = [ours, qemuUser(), qemuSystem(), vixl(folder)];
    const engines = all.filter((engine) => "run" in engine);
    return use(
      engines,
      all.filter((engine) => "wanted" in engine),
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
}
