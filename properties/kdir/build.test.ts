// Building a module tree: what is built, what is refused and in which words, what clean leaves.

import {
  appendFileSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import {
  describeWith,
  EXAMPLES,
  GCC_AND_MAKE,
  KDIR,
  KMIS,
  LLVM_AND_GCC,
  makeIn,
  say,
  withTree,
} from "./toolchain.ts";

/** Replaces a text in a file of a tree; it must be there. */
function edit(path: string, from: string, to: string): void {
  const text = readFileSync(path, "utf8");
  expect(text).toContain(from);
  writeFileSync(path, text.replaceAll(from, to));
}

const filesOf = (folder: string): readonly string[] =>
  readdirSync(folder, { recursive: true, encoding: "utf8" }).toSorted();

/** The page's module for a later branch: android17-6.18 has no token. */
function forKmi(folder: string, kmi: string): void {
  if (kmi !== "android17-6.18") return;
  const el1 = join(folder, "el1.c");
  edit(el1, ", &token)", ")");
  edit(el1, "_hvc, token)", "_hvc)");
  edit(el1, "\tunsigned long token;", "\t");
}

/** Module trees that must not build: how they are spoiled and the one line that says so. */
const REFUSED: readonly (readonly [string, (folder: string) => void, RegExp])[] = [
  [
    "no MODULE_LICENSE",
    (folder) => edit(join(folder, "el1.c"), 'MODULE_LICENSE("GPL");', ""),
    /^ERROR: modpost: missing MODULE_LICENSE\(\) in .*pkvm_module\.o$/m,
  ],
  [
    "EL1 names an EL2 function that does not exist",
    (folder) => edit(join(folder, "el1.c"), "pkvm_driver_hyp_hvc", "pkvm_driver_gone"),
    /^ERROR: modpost: "__kvm_nvhe_pkvm_driver_gone" undefined: .*no "pkvm_driver_gone"$/m,
  ],
  [
    "EL2 code calls a function of the kernel",
    (folder) =>
      edit(
        join(folder, "hyp/el2.c"),
        "pkvm_ops = ops;",
        'extern int _printk(const char *, ...); pkvm_ops = ops; _printk("");',
      ),
    /^ERROR: gen-hyprel: EL2 code needs "_printk" \(__kvm_nvhe__printk\)/m,
  ],
  [
    "a relocation that .hyp.reloc cannot express",
    (folder) =>
      appendFileSync(
        join(folder, "hyp/el2.c"),
        '__asm__(".data\\n.word pkvm_driver_hyp_init\\n.text");\n',
      ),
    /^ERROR: gen-hyprel: R_AARCH64_ABS32 against "pkvm_driver_hyp_init" at \.hyp\.data\+0x0:/m,
  ],
  [
    "hyp-obj-y is not set",
    (folder) => edit(join(folder, "hyp/Makefile"), "hyp-obj-y := el2.o", ""),
    /hyp\/Makefile: hyp-obj-y is not set/,
  ],
  [
    "a source file is missing",
    (folder) => rmSync(join(folder, "el1.c")),
    /Makefile wants el1\.o, but there is no el1\.c, no \.S and no rule for it/,
  ],
  [
    "an EL2 source file is missing",
    (folder) => rmSync(join(folder, "hyp/el2.c")),
    /hyp\/Makefile wants el2\.o, but there is no el2\.c and no \.S/,
  ],
  [
    "a name that does not fit into struct module",
    (folder) => {
      edit(join(folder, "Makefile"), "pkvm_module", "m".repeat(56));
    },
    /^ERROR: modpost: module name "m{56}" has more than 55 characters$/m,
  ],
];

describeWith(GCC_AND_MAKE, "building", () => {
  it.each(KMIS)("the page's module builds for %s", (kmi) => {
    withTree("page", (folder) => {
      forKmi(folder, kmi);
      const said = makeIn(folder, `KMI=${kmi}`, "modules");
      expect(said.text).not.toMatch(/warning|error/i);
      expect(said.status).toBe(0);
      expect(filesOf(folder)).toContain("pkvm_module.ko");
    });
  });

  it("the page's own makefile builds it, from inside its folder", () => {
    withTree("page", (folder) => {
      const said = say("make", ["-C", folder, `KDIR=${KDIR}`, `PWD=${folder}`]);
      expect(said.text).not.toMatch(/warning|error/i);
      expect(filesOf(folder)).toContain("pkvm_module.ko");
    });
  });

  it("the page's printed rule for $(PWD)/hyp/kvm_nvhe.o matches from anywhere", () => {
    withTree("page", (folder) => {
      edit(
        join(folder, "Makefile"),
        "$(obj)/hyp/kvm_nvhe.o: FORCE",
        "$(PWD)/hyp/kvm_nvhe.o: FORCE",
      );
      expect(makeIn(folder, "modules").status).toBe(0);
    });
  });
});

describeWith(GCC_AND_MAKE, "refusing to build", () => {
  it.each(REFUSED)("%s: one clear line, no module", (_, spoil, line) => {
    withTree("page", (folder) => {
      spoil(folder);
      const said = makeIn(folder, "modules");
      expect(said.text).toMatch(line);
      expect(said.text).not.toMatch(/^ {4}at /m);
      expect(said.status).not.toBe(0);
      expect(filesOf(folder).filter((file) => file.endsWith(".ko"))).toEqual([]);
    });
  });

  it("KBUILD_MODPOST_WARN=1 makes an undefined EL2 symbol a warning", () => {
    withTree("unresolved-symbol", (folder) => {
      expect(makeIn(folder, "modules").status).not.toBe(0);
      const said = makeIn(folder, "KBUILD_MODPOST_WARN=1", "modules");
      expect(said.text).toMatch(/^WARNING: modpost: .*"__kvm_nvhe_memset" undefined/m);
      expect(said.status).toBe(0);
    });
  });
});

describeWith(GCC_AND_MAKE, "module trees", () => {
  it("several modules, folders below, objects in folders, flags of one object", () => {
    withTree("plain-module", (folder) => {
      mkdirSync(join(folder, "below"));
      cpSync(join(folder, "plain_module.c"), join(folder, "below/other.c"));
      writeFileSync(join(folder, "below/Makefile"), "obj-m := other.o\n");
      mkdirSync(join(folder, "part"));
      const part =
        "#if ONE != 1\n#error no flag\n#endif\nint part(void);\nint part(void) { return 0; }\n";
      writeFileSync(join(folder, "part/part.c"), part);
      cpSync(join(folder, "plain_module.c"), join(folder, "main.c"));
      const kbuild =
        "obj-m += two.o below/\ntwo-objs := main.o part/part.o\nccflags-y := -DONE=1\n";
      appendFileSync(join(folder, "Kbuild"), kbuild);
      expect(makeIn(folder, "modules").status).toBe(0);
      const built = filesOf(folder).filter((file) => file.endsWith(".ko"));
      expect(built).toEqual(["below/other.ko", "plain_module.ko", "two.ko"]);
    });
  });

  it("clean leaves the sources and nothing else", () => {
    withTree("page", (folder) => {
      const sources = filesOf(folder);
      expect(makeIn(folder, "modules").status).toBe(0);
      expect(filesOf(folder).length).toBeGreaterThan(sources.length);
      expect(makeIn(folder, "clean").status).toBe(0);
      expect(filesOf(folder)).toEqual(sources);
    });
  });

  it("the same bytes wherever the tree lies, and on the second build", () => {
    const build = (folder: string): Buffer => {
      expect(makeIn(folder, "modules").status).toBe(0);
      return readFileSync(join(folder, "vendor_kcfi.ko"));
    };
    const twice = withTree("vendor-kcfi", (folder) => [build(folder), build(folder)]);
    const elsewhere = withTree("vendor-kcfi", build);
    expect(twice[0]!.equals(twice[1]!)).toBe(true);
    expect(twice[0]!.equals(elsewhere)).toBe(true);
  });
});

describeWith(LLVM_AND_GCC, "LLVM", () => {
  it.each([
    ["page", "pkvm_module.ko", "LLVM=1"],
    ["page", "pkvm_module.ko", "CC=clang"],
    ["measurement", "ovm.ko", "LLVM=1"],
    ["measurement", "ovm.ko", "CC=clang"],
    ["vendor-altinstructions", "vendor_altinstructions.ko", "LLVM=1"],
  ])("%s/%s builds with %s", (example, file, argument) => {
    withTree(example, (folder) => {
      expect(makeIn(folder, argument, "modules").status).toBe(0);
      expect(filesOf(folder)).toContain(file);
    });
  });
});

describeWith(GCC_AND_MAKE, "wrong calls of make", () => {
  const page = join(EXAMPLES, "page");
  it.each([
    [["modules"], /say which module tree to build/],
    [["M=/nonexistent", "modules"], /M=\/nonexistent: there is no Kbuild and no Makefile/],
    [[`M=${page}`, "KMI=android12-5.10", "modules"], /KMI=android12-5\.10 is not known; one of:/],
    [[`M=${page}`, "ARCH=x86", "modules"], /ARCH=x86: pKVM modules exist for arm64 only/],
    [[`M=${page}`, "CROSS_COMPILE=no-", "modules"], /not found: no-gcc no-ld no-objcopy\./],
    [["M=/a b", "modules"], /make does not work in a path with blanks/],
  ])("%j", (args, line) => {
    const said = say("make", ["-C", KDIR, ...args]);
    expect(said.text).toMatch(line);
    expect(said.status).not.toBe(0);
  });
});

describeWith(GCC_AND_MAKE, "examples/build.sh --check", () => {
  const COMPILER_DIFFERS = 2;

  it("the page's and the measurement modules are what their sources build", ({ skip }) => {
    const names = ["page", "page-as-printed", "measurement", "measurement-textonly"];
    const said = say("sh", [join(EXAMPLES, "build.sh"), "--check", ...names]);
    if (said.status === COMPILER_DIFFERS) skip("SKIPPED: not the compiler of COMPILERS.txt");
    expect(said.text).not.toContain("DIFFERENT");
    expect(said.status).toBe(0);
  });

  it("canary: a changed file is found", ({ skip }) => {
    const root = mkdtempSync(join(tmpdir(), "kdir-"));
    try {
      cpSync(KDIR, join(root, "kdir"), { recursive: true });
      for (const name of ["build.sh", "COMPILERS.txt", "plain-module"]) {
        cpSync(join(EXAMPLES, name), join(root, "examples", name), { recursive: true });
      }
      appendFileSync(join(root, "examples/plain-module/plain_module.ko"), "x");
      const said = say("sh", [join(root, "examples/build.sh"), "--check", "plain-module"]);
      if (said.status === COMPILER_DIFFERS) skip("SKIPPED: not the compiler of COMPILERS.txt");
      expect(said.text).toContain("DIFFERENT plain-module/plain_module.ko");
      expect(said.status).toBe(1);
    } finally {
      rmSync(root, { recursive: true, force: true });
    }
  });
});

describe("the build's own tools, which need node only", () => {
  const tool = (name: string, ...args: string[]) =>
    say(process.execPath, [join(KDIR, "scripts", name), ...args]);
  const modpost = (path: string) =>
    tool("modpost.mjs", "--kmi", KMIS[0], "--name", "m", "-o", "/dev/null", path);

  it("modpost takes a linked module", () => {
    expect(modpost(join(EXAMPLES, "page/pkvm_module.ko"))).toEqual({ status: 0, text: "" });
  });

  it.each([
    ["page/el1.c", /is not a little-endian 64-bit ELF object/],
    ["corrupted-elf/truncated.ko", /is not a whole ELF object/],
    ["missing-hyp-reloc/missing_hyp_reloc.ko", /has \.hyp\.text and no \.hyp\.reloc/],
    ["unresolved-symbol/unresolved_symbol.ko", /"__kvm_nvhe_memset" undefined/],
  ])("modpost refuses %s in one line", (file, line) => {
    const said = modpost(join(EXAMPLES, file));
    expect(said.status).toBe(1);
    expect(said.text).toMatch(line);
    expect(said.text.trim().split("\n")).toHaveLength(1);
  });

  it.each(["corrupted-elf/truncated.ko", "page/Makefile"])("gen-hyprel refuses %s", (file) => {
    const said = tool("gen-hyprel.mjs", "-o", "/dev/null", join(EXAMPLES, file));
    expect(said.status).toBe(1);
    expect(said.text).toMatch(/^ERROR: gen-hyprel: .* is not a /);
  });
});
