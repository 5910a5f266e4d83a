// Installs what recording needs: QEMU 10 or newer and a compiler for bare AArch64, by apt.

import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";

const OLDEST_QEMU = 10;
const SOURCES = "/etc/apt/sources.list.d";
const BACKPORTS = join(SOURCES, "pkvm-spec-backports.sources");

/** The output of a command, or undefined where there is no such command. */
function outputOf(command: string, args: readonly string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: "utf8", stdio: ["ignore", "pipe", "ignore"] });
  } catch {
    return undefined;
  }
}

function installedQemu(): number {
  const version = outputOf("qemu-system-aarch64", ["--version"]);
  return Number(/version (\d+)/.exec(version ?? "")?.[1] ?? 0);
}

function codename(): string {
  const release = readFileSync("/etc/os-release", "utf8");
  const name = /^VERSION_CODENAME=(\w+)/m.exec(release)?.[1];
  if (name === undefined) throw new Error("/etc/os-release names no Debian release");
  return name;
}

/** What apt itself uses for the release: the address, and the key that signs it. */
function ownSource(release: string): { readonly uri: string; readonly signed: string } {
  const names = existsSync(SOURCES)
    ? readdirSync(SOURCES).filter((name) => name.endsWith(".sources"))
    : [];
  for (const name of names) {
    for (const stanza of readFileSync(join(SOURCES, name), "utf8").split(/\n\s*\n/)) {
      const member = (key: string) =>
        new RegExp(`^${key}:\\s*(.+)$`, "mi").exec(stanza)?.[1]?.trim();
      if (!(member("Suites") ?? "").split(/\s+/).includes(release)) continue;
      const uri = member("URIs")?.split(/\s+/)[0];
      if (uri !== undefined) return { uri, signed: member("Signed-By") ?? "" };
    }
  }
  const list = existsSync("/etc/apt/sources.list")
    ? readFileSync("/etc/apt/sources.list", "utf8")
    : "";
  const line = new RegExp(`^deb\\s+(?:\\[[^\\]]*\\]\\s+)?(\\S+)\\s+${release}\\s`, "m").exec(list);
  if (line?.[1] === undefined) throw new Error(`apt has no source for ${release}`);
  return { uri: line[1], signed: "" };
}

function aptGet(...args: string[]): void {
  const env = { ...process.env, DEBIAN_FRONTEND: "noninteractive" };
  execFileSync("apt-get", args, { stdio: ["ignore", process.stderr.fd, process.stderr.fd], env });
}

/** Adds the backports of the release to apt's sources, from where apt gets the release itself. */
function addBackports(release: string): void {
  const { uri, signed } = ownSource(release);
  const stanza = ["Types: deb", `URIs: ${uri}`, `Suites: ${release}-backports`, "Components: main"];
  if (signed !== "") stanza.push(`Signed-By: ${signed}`);
  writeFileSync(BACKPORTS, `${stanza.join("\n")}\n`);
}

/** Makes sure that QEMU and the compiler are there; needs to be root only where they are not. */
export function installTools(): void {
  if (outputOf("aarch64-linux-gnu-gcc", ["--version"]) === undefined) {
    aptGet("update");
    aptGet("install", "-y", "--no-install-recommends", "gcc-aarch64-linux-gnu");
  }
  if (installedQemu() >= OLDEST_QEMU) return;
  const release = codename();
  if (!existsSync(BACKPORTS)) addBackports(release);
  aptGet("update");
  aptGet(
    "install",
    "-y",
    "--no-install-recommends",
    "-t",
    `${release}-backports`,
    "qemu-system-arm",
  );
  if (installedQemu() < OLDEST_QEMU)
    throw new Error(`no QEMU ${OLDEST_QEMU} from ${release}-backports`);
}
