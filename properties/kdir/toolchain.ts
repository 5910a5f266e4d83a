// What of the cross toolchain this machine has, and how the tests call it.

import { spawnSync } from "node:child_process";
import { cpSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, it } from "vitest";

/** The folder that stands for a kernel build tree. */
export const KDIR = fileURLToPath(new URL("../../kdir", import.meta.url));
/** The module trees with their built files. */
export const EXAMPLES = fileURLToPath(new URL("../../examples", import.meta.url));

/** The four KMIs, in order of age. */
export const KMIS = ["android14-6.1", "android15-6.6", "android16-6.12", "android17-6.18"] as const;

const answers = (command: string): boolean =>
  spawnSync(command, ["--version"], { stdio: "ignore" }).status === 0;

const GCC = "aarch64-linux-gnu-gcc";

/** Debian's cross compiler with make, which everything that builds needs. */
export const hasGcc: boolean = answers(GCC) && answers("make");
/** The other toolchain, of LLVM=1. */
export const hasLlvm: boolean = answers("clang") && answers("ld.lld") && answers("llvm-objcopy");
/** A readelf of any make; they print alike. */
export const readelf: string | undefined = [
  "readelf",
  "aarch64-linux-gnu-readelf",
  "llvm-readelf",
].find(answers);

/** What a group of tests needs of the machine. */
export interface Needed {
  readonly present: boolean;
  /** Its name for the person who reads why the group did not run. */
  readonly wanted: string;
}

/** To build by gcc. */
export const GCC_AND_MAKE: Needed = { present: hasGcc, wanted: "aarch64-linux-gnu-gcc and make" };
/** To build by clang as well. */
export const LLVM_AND_GCC: Needed = {
  present: hasLlvm && hasGcc,
  wanted: "clang, lld, llvm and aarch64-linux-gnu-gcc",
};
/** To look into built files. */
export const READELF: Needed = { present: readelf !== undefined, wanted: "readelf" };

/**
 * A group of tests that needs a tool of the machine. Without the tool the report says by name that
 * the group did not run: the project runs on machines without a cross compiler too.
 */
export function describeWith(needed: Needed, title: string, body: () => void): void {
  if (needed.present) {
    describe(title, body);
    return;
  }
  describe(`${title} (SKIPPED: no ${needed.wanted})`, () => {
    it("does not run", ({ skip }) => skip(`${needed.wanted}: not installed`));
  });
}

/** What a command said and whether it succeeded. */
export interface Said {
  readonly status: number | null;
  readonly text: string;
}

/** Runs a command without a shell; warnings and errors are in the text as well. */
export function say(command: string, args: readonly string[], input?: string): Said {
  const env = { ...process.env, LC_ALL: "C", MAKEFLAGS: "" };
  const done = spawnSync(command, args, {
    encoding: "utf8",
    env,
    ...(input === undefined ? {} : { input }),
  });
  return { status: done.status, text: `${done.stdout}${done.stderr}` };
}

/** Makes `make -C kdir M=folder ...`. */
export const makeIn = (folder: string, ...args: string[]): Said =>
  say("make", ["-C", KDIR, `M=${folder}`, ...args]);

/** Compiles a C text against kdir's headers without output, for a KMI. */
export function compile(text: string, kmi: string, compiler: string, ...flags: string[]): Said {
  const target = compiler === "clang" ? ["--target=aarch64-linux-gnu"] : [];
  const macro = `-DCONFIG_KMI_${kmi.replaceAll(/[-.]/g, "_")}=1`;
  const include = ["arch/arm64/include", "include", "arch/arm64/kvm/hyp/include"];
  return say(
    compiler,
    [
      ...target,
      "-std=gnu11",
      "-Wall",
      "-Werror",
      "-nostdinc",
      ...include.map((folder) => `-I${join(KDIR, folder)}`),
      "-include",
      join(KDIR, "include/linux/kconfig.h"),
      "-D__KERNEL__",
      "-DMODULE",
      '-DKBUILD_MODNAME="m"',
      macro,
      ...flags,
      "-fsyntax-only",
      "-xc",
      "-",
    ],
    text,
  );
}

/** The compilers to try: gcc, and clang where it is installed. */
export const compilers: readonly string[] = hasLlvm ? [GCC, "clang"] : [GCC];

/** Calls a test with a copy of a module tree, without built files, and removes it afterwards. */
export function withTree<T>(example: string, body: (folder: string) => T): T {
  const folder = mkdtempSync(join(tmpdir(), "kdir-"));
  try {
    cpSync(join(EXAMPLES, example), folder, {
      recursive: true,
      filter: (path) => !/\.(ko|o|mod\.c)$/.test(path),
    });
    return body(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Every committed .ko under examples/, as "folder/file.ko". */
export const builtModules: readonly string[] = readdirSync(EXAMPLES, { withFileTypes: true })
  .filter((entry) => entry.isDirectory())
  .flatMap((entry) =>
    readdirSync(join(EXAMPLES, entry.name))
      .filter((file) => file.endsWith(".ko"))
      .map((file) => `${entry.name}/${file}`),
  );
