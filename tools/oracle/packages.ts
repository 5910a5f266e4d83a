// Debian's own kernel, without root: downloaded by apt into a folder of ours, unpacked there.

import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OracleError, QEMU } from "./live-machine.ts";

/** The version that the stored traces of Debian 6.1 were made with. */
export const TRACES_VERSION = "6.1.192-2";

/** The series that the model's `mainline-6.1` stands for: Debian 12's. */
const SERIES = "6.1";
const META_PACKAGE = "linux-image-arm64:arm64";

/** Commands that must be there, and the Debian package that brings each. */
const COMMANDS = [
  ["apt-get", "apt"],
  ["dpkg-deb", "dpkg"],
  ["make", "make"],
  ["aarch64-linux-gnu-gcc-12", "gcc-aarch64-linux-gnu"],
  [QEMU, "qemu-system-arm"],
] as const;

/** A Debian kernel, unpacked. */
export interface KernelPackages {
  /** Of the Debian package, as 6.1.192-2. */
  readonly version: string;
  /** As `uname -r` says it. */
  readonly release: string;
  /** vmlinuz. */
  readonly image: string;
  /** Where usr/src and usr/lib of the headers are. */
  readonly root: string;
}

const hasCommand = (name: string): boolean =>
  (process.env["PATH"] ?? "").split(":").some((folder) => existsSync(join(folder, name)));

/** Refuses early, with the names of the packages that are missing. */
export function checkCommands(): void {
  const absent = COMMANDS.filter(([command]) => !hasCommand(command)).map(([, name]) => name);
  if (absent.length === 0) return;
  throw new OracleError(`needs Debian 12 and: apt-get install ${absent.join(" ")}`);
}

const run = (command: string, args: readonly string[], cwd?: string): string => {
  try {
    return execFileSync(command, args, {
      ...{ encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] },
      ...(cwd === undefined ? {} : { cwd }),
    });
  } catch (error) {
    const said = error instanceof Error && "stderr" in error ? String(error.stderr) : String(error);
    const last = said.trim().split("\n").slice(-2).join(" / ");
    throw new OracleError(`${command} ${args.at(-1)}: ${last}`);
  }
};

/**
 * Options of apt for lists and archives of our own, with arm64 beside the machine's architecture:
 * nothing of the system changes, and nobody has to be root.
 */
function aptOptions(folder: string): readonly string[] {
  const state = join(folder, "apt");
  for (const part of ["lists/partial", "archives/partial"]) {
    mkdirSync(join(state, part), { recursive: true });
  }
  writeFileSync(join(state, "status"), "");
  const options = [
    `Dir::State=${state}`,
    `Dir::State::status=${join(state, "status")}`,
    `Dir::Cache=${state}`,
    `APT::Architectures::=${run("dpkg", ["--print-architecture"]).trim()}`,
    "APT::Architectures::=arm64",
    "APT::Sandbox::User=", // As root apt would want a user of its own to write there.
    "Acquire::Languages=none",
  ];
  return options.flatMap((option) => ["-o", option]);
}

/** The newest kernel of the series that apt can get. */
function candidate(options: readonly string[]): {
  readonly image: string;
  readonly version: string;
} {
  const shown = run("apt-cache", [...options, "show", "--no-all-versions", META_PACKAGE]);
  const field = (name: string): string => new RegExp(`^${name}: (.*)$`, "m").exec(shown)?.[1] ?? "";
  const image = /linux-image-[^ ,(]+/.exec(field("Depends"))?.[0];
  const version = field("Version");
  if (image === undefined || !version.startsWith(`${SERIES}.`)) {
    throw new OracleError(`apt has linux-image-arm64 ${version || "of no version"}, not ${SERIES}`);
  }
  return { image, version };
}

/** Unpacks a package, or the parts of it that are named. */
function unpack(file: string, root: string, ...parts: readonly string[]): void {
  const archive = join(root, "archive.tar");
  run("bash", ["-c", `dpkg-deb --fsys-tarfile "$1" > "$2"`, "unpack", file, archive]);
  run("tar", ["-x", "-f", archive, "-C", root, ...parts]);
  rmSync(archive);
}

/** Downloads and unpacks what apt has now; a kernel that is there already is kept. */
export function kernelPackages(folder: string, onProgress: (text: string) => void): KernelPackages {
  const options = aptOptions(folder);
  onProgress("apt-get update, into a folder of its own");
  run("apt-get", [...options, "-qq", "update"]);
  const { image, version } = candidate(options);
  const release = image.slice("linux-image-".length);
  const root = join(folder, version);
  const kernel = join(root, "boot", `vmlinuz-${release}`);
  const packages = { version, release, image: kernel, root };
  if (existsSync(join(root, "complete"))) return packages;
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  const common = release.replace(/-arm64$/, "-common");
  const names = [
    ...[`${image}:arm64`, `linux-headers-${release}:arm64`, `linux-headers-${common}`],
    `linux-kbuild-${SERIES}`,
  ];
  onProgress(`downloading ${image} ${version}`);
  run(
    "apt-get",
    [...options, "-qq", "download", ...names.map((name) => `${name}=${version}`)],
    root,
  );
  for (const file of readdirSync(root).filter((name) => name.endsWith(".deb"))) {
    onProgress(`unpacking ${file}`);
    unpack(join(root, file), root, ...(file.startsWith(image) ? ["./boot"] : []));
    rmSync(join(root, file));
  }
  const headers = join(root, "usr/src", `linux-headers-${release}`);
  const shared = join(root, "usr/src", `linux-headers-${common}`);
  // The packages expect to be at the root of the system.
  writeFileSync(join(headers, "Makefile"), `include ${shared}/Makefile\n`);
  writeFileSync(join(root, "complete"), "");
  return packages;
}
