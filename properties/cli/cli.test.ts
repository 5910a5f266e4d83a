// The command line as a user meets it: exit codes, and one clear line for every wrong input.

import { execFileSync, spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { makeFolder } from "../../tools/cli/make-folder.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const PAGE = "examples/page/pkvm_module.ko";
let folder = "";

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "pkvm-spec-"));
});
afterAll(() => {
  rmSync(folder, { recursive: true });
});

/** Runs the command; nothing here may take longer than a minute. */
function pkvmSpec(...args: readonly string[]) {
  const main = join(ROOT, "tools/cli/pkvm-spec.ts");
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...args], {
    cwd: ROOT,
    encoding: "utf8",
    timeout: 60_000,
  });
  return { status, stdout, stderr };
}

/** A file in the temporary folder. */
function file(name: string, contents: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, contents);
  return path;
}

/** The page's module with some bytes of it replaced. */
function damaged(name: string, change: (bytes: Uint8Array<ArrayBuffer>, view: DataView) => void) {
  const bytes = new Uint8Array(readFileSync(join(ROOT, PAGE)));
  change(bytes, new DataView(bytes.buffer));
  return file(name, bytes);
}

const E_MACHINE = 18;
const E_SHOFF = 40;
/** sh_size in the section header of section `n`. */
const sizeOfSection = (view: DataView, n: number): number =>
  Number(view.getBigUint64(E_SHOFF, true)) + n * 64 + 32;

const counterexample = (change: (json: Record<string, unknown>) => void): string => {
  const text = readFileSync(join(ROOT, "counterexamples/doc-10-android14-6.1.json"), "utf8");
  const json = JSON.parse(text);
  change(json);
  return JSON.stringify(json);
};

describe("exit codes", () => {
  test("0: the page's module boots", () => {
    const { status, stdout, stderr } = pkvmSpec("run", PAGE);
    expect(stderr).toBe("");
    expect(stdout).toContain("hypercall 128 answers 0");
    expect(status).toBe(0);
  });

  test("0: the page's module holds; 1: one that trusts a host pointer does not", () => {
    const out = join(folder, "out");
    const args = ["--runs", "1", "--calls", "300", "--build", "production", "--out", out];
    expect(pkvmSpec("check", PAGE, ...args).status).toBe(0);
    const bad = pkvmSpec("check", "examples/host-pointer-deref/host_pointer_deref.ko", ...args);
    expect(bad.stdout).toContain("FAIL  MOD-1");
    // The line that reads *mailbox.
    expect(bad.stdout).toContain("at hyp/el2.c:26  mailbox_hvc+0x20  ldr x1, [x0]");
    expect(bad.status).toBe(1);
    const stored = join(out, "mod-1-android14-6.1.json");
    expect(pkvmSpec("replay", stored).status).toBe(1);
  });

  test("1: a stored counterexample still breaks its rule", () => {
    const { status, stdout } = pkvmSpec("replay", "counterexamples/doc-10-android14-6.1.json");
    expect(stdout).toContain("DOC-10 is broken at step 9");
    expect(status).toBe(1);
  });

  test("--stub declares a kernel function, and the verdict says that it is partial", () => {
    const module = "examples/vendor-unknown-api/vendor_unknown_api.ko";
    expect(pkvmSpec("run", module).stdout).toContain("Unknown symbol of_machine_is_compatible");
    const stubbed = pkvmSpec("run", module, "--stub", "of_machine_is_compatible=1");
    expect(stubbed.stdout).toContain("the verdict is partial");
    expect(stubbed.stdout).toContain("stubbed: of_machine_is_compatible");
  });

  test("--guest runs an image as a VM, protected or not, to its end", () => {
    const args = ["run", PAGE, "--guest", "examples/guests/g_relinq.bin"];
    const { stdout, status } = pkvmSpec(...args);
    expect(stdout).toContain("guest HVC MEM_RELINQUISH(0x80030000) -> to the host");
    expect(stdout).toContain("KVM_RUN of vm0 vcpu0 ends: system event 1, data 0x0");
    expect(stdout).toContain("KVM_CLOSE vm0 -> 0");
    expect(status).toBe(0);
    expect(pkvmSpec(...args, "--unprotected").stdout).toContain("KVM_CREATE_VM vm0 type 0x0 -> 0");
  });

  test("--el2-only loads and registers without the EL1 half", () => {
    const { stdout, status } = pkvmSpec("run", PAGE, "--el2-only");
    expect(stdout).toContain("the verdict is partial");
    expect(stdout).toContain("__pkvm_register_hcall");
    expect(stdout).not.toContain("hypercall 128 answers");
    expect(status).toBe(0);
  });
});

test("check says which module is missing, and goes on without it", () => {
  const module = "examples/depends-on-another/depends_on_another.ko";
  const few = ["--runs", "0", "--calls", "20", "--build", "production"];
  const { status, stdout } = pkvmSpec("check", module, ...few);
  expect(stdout.replaceAll(/\s+/g, " ")).toContain(
    "depends on serial_driver, which no --with gives",
  );
  expect(status).toBe(0);
  const other = "examples/serial-driver/serial_driver.ko";
  expect(pkvmSpec("check", module, "--with", other, ...few).stdout).not.toContain("depends on");
});

describe("check says why a module is not up", () => {
  const few = ["--runs", "0", "--calls", "20", "--build", "production"];
  const cases: readonly (readonly [string, readonly string[], RegExp])[] = [
    [
      "pKVM is off",
      ["--cmdline", "kvm-arm.mode=nvhe"],
      /nothing loads pkvm_module: .*mode=protected/,
    ],
    [
      "not in the list",
      ["--cmdline", "kvm-arm.mode=protected"],
      /protected_modules does not name it/,
    ],
    ["of another branch", ["--branch", "android15-6.6"], /says that it is for android14-6\.1/],
  ];
  test.each(cases)("%s", (_, args, expected) => {
    const { status, stdout, stderr } = pkvmSpec("check", PAGE, ...few, ...args);
    expect(stdout.replaceAll(/\s+/g, " ")).toMatch(expected);
    expect(stdout.split("\n").filter((line) => line.length > 80)).toEqual([]);
    expect(stderr).toBe("");
    expect(status).toBe(1);
  });
});

test("a folder that cannot be made is an error, and no loop", () => {
  expect(() => makeFolder("/dev/null/below/it")).toThrow(/ENOTDIR/);
  makeFolder(join(folder, "new/and/below"));
  expect(existsSync(join(folder, "new/and/below"))).toBe(true);
});

describe("wrong input is one line and exit code 2", () => {
  const cases: readonly (readonly [string, () => readonly string[], RegExp])[] = [
    ["no such file", () => ["run", "nosuch.ko"], /nosuch\.ko/],
    ["a folder", () => ["run", "examples"], /folder/],
    ["a file without an end", () => ["check", "/dev/zero"], /\/dev\/zero: larger than 64 MiB/],
    ["a guest without an end", () => ["run", PAGE, "--guest", "/dev/zero"], /larger than/],
    ["a counterexample without an end", () => ["replay", "/dev/zero"], /larger than/],
    ["one to shrink without an end", () => ["shrink", "/dev/zero"], /larger than/],
    ["a baseline without an end", () => ["check", PAGE, "--baseline", "/dev/zero"], /larger than/],
    ["a search without an end", () => ["search", "--resume", "/dev/zero"], /larger than/],
    ["no such guest", () => ["run", PAGE, "--guest", "nosuch.bin"], /nosuch\.bin/],
    ["no guest to be unprotected", () => ["run", PAGE, "--unprotected"], /--guest/],
    ["not an ELF file", () => ["check", "package.json"], /ELF/],
    ["an empty file", () => ["run", file("empty.ko", "")], /empty\.ko/],
    [
      "another architecture",
      () => ["run", damaged("x86.ko", (_, view) => view.setUint16(E_MACHINE, 62, true))],
      /x86/i,
    ],
    [
      "truncated",
      () => ["run", file("cut.ko", readFileSync(join(ROOT, PAGE)).subarray(0, 3000))],
      /cut\.ko/,
    ],
    [
      "a huge section",
      () => [
        "run",
        damaged("huge.ko", (_, view) => {
          view.setBigUint64(sizeOfSection(view, 1), 1n << 62n, true);
        }),
      ],
      /huge\.ko/,
    ],
    [
      "sections that overlap",
      () => [
        "run",
        damaged("overlap.ko", (_, view) => {
          const at = sizeOfSection(view, 1) - 8;
          view.setBigUint64(at, 0x40n, true);
          view.setBigUint64(sizeOfSection(view, 1), 0x2000n, true);
        }),
      ],
      /overlap/,
    ],
    ["an unknown branch", () => ["run", PAGE, "--branch", "android99"], /android99/],
    [
      "a branch without vendor modules",
      () => ["run", PAGE, "--branch", "mainline-6.1"],
      /no vendor modules/,
    ],
    ["an unknown build", () => ["run", PAGE, "--build", "debug"], /debug/],
    [
      "10,000 names in the list",
      () => ["run", PAGE, "--cmdline", `kvm-arm.protected_modules=${"m,".repeat(10_000)}`],
      /2047/,
    ],
    ["a stub without a value", () => ["run", PAGE, "--stub", "foo"], /NAME=VALUE/],
    ["no CPU", () => ["run", PAGE, "--cpus", "0"], /--cpus 0/],
    [
      "a vermagic of no branch",
      () => [
        "check",
        damaged("other.ko", (bytes) => {
          const at = Buffer.from(bytes).indexOf("vermagic=6.1.145");
          bytes.set(Buffer.from("vermagic=5.4.145"), at);
        }),
      ],
      /vermagic "5\.4\.145 .*" names no branch; say --branch/,
    ],
    ["a number of runs below 0", () => ["check", PAGE, "--runs", "-1"], /--runs -1/],
    ["half a call", () => ["check", PAGE, "--calls", "1.5"], /--calls 1\.5/],
    ["a depth that is no number", () => ["check", PAGE, "--depth", "deep"], /--depth deep/],
    ["no budget", () => ["check", PAGE, "--budget", "0"], /--budget 0/],
    ["no such baseline", () => ["check", PAGE, "--baseline", "nosuch.json"], /nosuch\.json/],
    [
      "a baseline in no folder",
      () => ["check", PAGE, "--write-baseline", join(folder, "nosuch/known.json")],
      /no such folder/,
    ],
    ["no such other module", () => ["check", PAGE, "--with", "nosuch.ko"], /nosuch\.ko/],
    ["--json with a value", () => ["check", PAGE, "--json=5"], /--json=5/],
    ["two files", () => ["check", PAGE, PAGE], /too many arguments/],
    ["no file", () => ["check"], /file\.ko/],
    ["the same module twice", () => ["run", PAGE, "--with", PAGE], /pkvm_module/],
    ["no command that we know", () => ["fly"], /fly/],
    ["JSON that is none", () => ["replay", file("a.json", "{")], /not JSON/],
    ["JSON of another shape", () => ["replay", file("b.json", '{"format": 1}')], /b\.json/],
    [
      "an empty initramfs",
      () => [
        "replay",
        file(
          "c.json",
          counterexample((json) => {
            Object.assign(json["boot"] as object, { initramfs: [] });
          }),
        ),
      ],
      /initramfs is empty/,
    ],
    [
      "a counterexample of an unknown branch",
      () => [
        "replay",
        file(
          "d.json",
          counterexample((json) => {
            Object.assign(json["system"] as object, { branch: "android99" });
          }),
        ),
      ],
      /branch/,
    ],
    ["no hex word", () => ["explain-insn", "xyz"], /xyz/],
  ];

  test.each(cases)("%s", (_, args, expected) => {
    const { status, stdout, stderr } = pkvmSpec(...args());
    expect(stderr.trim().split("\n")).toHaveLength(1);
    expect(stderr).toMatch(expected);
    expect(stderr).not.toMatch(/\n\s+at /);
    expect(stderr).not.toContain("our mistake");
    expect(stdout).toBe("");
    expect(status).toBe(2);
  });
});

test("the same input gives the same output, byte for byte", () => {
  const once = () =>
    execFileSync(process.execPath, [join(ROOT, "tools/cli/pkvm-spec.ts"), "run", PAGE], {
      cwd: ROOT,
    });
  expect(once().equals(once())).toBe(true);
});
