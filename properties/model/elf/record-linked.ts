// Records what two linkers that we did not write make of the relocations in linked.json.
// Run by hand with Debian's gcc-aarch64-linux-gnu and lld.

import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** One relocation operator of the assembler per line, against symbols that are given below. */
const ASSEMBLY = `
  .section .gnu.linkonce.this_module, "aw"
  .zero 128
  .text
here:
  bl near_text
  b near_text
  bl here
  tbz w0, #3, near_text
  tbnz x0, #40, here
  b.eq near_text
  cbnz x1, here
  adr x2, near_data
  adrp x3, near_data
  adrp x3, :pg_hi21_nc:far
  add x3, x3, #:lo12:near_data
  ldrb w4, [x3, #:lo12:near_data]
  ldrh w4, [x3, #:lo12:near_data]
  ldr w4, [x3, #:lo12:near_data]
  ldr x4, [x3, #:lo12:near_data]
  ldr q4, [x3, #:lo12:near_data]
  str x4, [x3, #:lo12:in_data]
  ldr x5, near_text
  movz x6, #:abs_g0:small
  movz x6, #:abs_g1:medium
  movk x6, #:abs_g0_nc:medium
  movz x7, #:abs_g3:far
  movk x7, #:abs_g2_nc:far
  movk x7, #:abs_g1_nc:far
  movk x7, #:abs_g0_nc:far
  movz x7, #:abs_g2:large
  movz x8, #:abs_g0_s:small
  movz x8, #:abs_g0_s:minus
  movz x8, #:abs_g1_s:medium
  movn x8, #:abs_g2_s:large
  movz x9, #:prel_g1:near_data
  movk x9, #:prel_g0_nc:near_data
  movz x9, #:prel_g0:here
  movz x9, #:prel_g2:near_data
  movk x9, #:prel_g1_nc:far
  movk x9, #:prel_g2_nc:far
  movz x9, #:prel_g3:far
  adrp x10, in_data
  ldr w11, [x10, #:lo12:in_data + 4]
  .data
in_data:
  .quad far
  .quad here + 8
  .quad near_data - .
  .word medium
  .word near_data - .
  .hword small
  .hword nearest - .
`;

/** What a compiler emits: static data, strings, a switch, calls. */
const C_SOURCE = `
__attribute__((section(".gnu.linkonce.this_module"), used)) static char this_module[128];
extern int near_text(const char *, ...);
extern long near_data;
static long counters[8]; static unsigned char flags[3] = {1, 2, 3};
static const char *const names[] = {"zero", "one", "two", "three", "four"};
static long (*hook)(long);
static long twice(long x) { return 2 * x + counters[x & 7]; }
long init(long x) {
  hook = twice; flags[x & 1]++; counters[1] = near_data;
  switch (x) {
  case 0: return near_text(names[x], x); case 1: return near_text("one %ld", x);
  case 2: counters[2] += x; return flags[1]; case 3: return hook(x);
  case 4: return (long)&near_data; default: return near_text(names[x % 5]);
  }
}
`;

const SYMBOLS = {
  near_text: 0xffffffc001007f40n,
  near_data: 0xffffffc001006010n,
  nearest: 0xffffffc001000010n,
  far: 0xffffffc0a1b2c3d4n,
  small: 0x1234n,
  minus: 0xffffffffffffff80n,
  medium: 0x89abcdefn,
  large: 0x123456789abcn,
};
const TEXT = 0xffffffc001000000n;
const RODATA = 0xffffffc001002000n;
const DATA = 0xffffffc001003000n;
const BSS = 0xffffffc001004000n;

const script = `SECTIONS {
${Object.entries(SYMBOLS)
  .map(([name, value]) => `  ${name} = 0x${value.toString(16)};`)
  .join("\n")}
  .text 0x${TEXT.toString(16)} : { *(.text) }
  .rodata 0x${RODATA.toString(16)} : { *(.rodata) }
  .rodata.str1.8 0x${(RODATA + 0x800n).toString(16)} : { *(.rodata.str1.8) }
  .data 0x${DATA.toString(16)} : { *(.data) }
  .data.rel.ro.local 0x${(DATA + 0x800n).toString(16)} : { *(.data.rel.ro.local) }
  .bss 0x${BSS.toString(16)} : { *(.bss) }
  .gnu.linkonce.this_module 0x${(BSS + 0x800n).toString(16)} : { *(.gnu.linkonce.this_module) }
  /DISCARD/ : { *(.comment) *(.eh_frame) *(.note*) }
}`;
const SECTION_ADDRESSES: Readonly<Record<string, bigint>> = {
  ".text": TEXT,
  ".rodata": RODATA,
  ".rodata.str1.8": RODATA + 0x800n,
  ".data": DATA,
  ".data.rel.ro.local": DATA + 0x800n,
  ".bss": BSS,
  ".gnu.linkonce.this_module": BSS + 0x800n,
};

const LINKERS = ["aarch64-linux-gnu-ld", "ld.lld"];
const run = (tool: string, ...args: readonly string[]) =>
  execFileSync(tool, [...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
const version = (tool: string) => run(tool, "--version").split("\n")[0] ?? "";

const dir = mkdtempSync(join(tmpdir(), "linked-"));
const at = (name: string) => join(dir, name);

function record(name: string, object: string) {
  const sections: Record<string, { address: string; bytes: string }> = {};
  for (const linker of LINKERS) {
    writeFileSync(at("script.ld"), script);
    run(linker, "--no-relax", "-T", at("script.ld"), "-o", at("out"), object);
    for (const [section, address] of Object.entries(SECTION_ADDRESSES)) {
      run("aarch64-linux-gnu-objcopy", "-O", "binary", "-j", section, at("out"), at("bytes"));
      const bytes = readFileSync(at("bytes")).toString("hex");
      if (bytes === "" || section === ".bss") continue;
      const before = sections[section]?.bytes;
      if (before !== undefined && before !== bytes) {
        throw new Error(`${name}: the linkers disagree about ${section}\n${before}\n${bytes}`);
      }
      sections[section] = { address: `0x${address.toString(16)}`, bytes };
    }
  }
  return { name, object: readFileSync(object).toString("base64"), sections };
}

const gcc = "aarch64-linux-gnu-gcc";
writeFileSync(at("all.s"), ASSEMBLY);
writeFileSync(at("code.c"), C_SOURCE);
run(gcc, "-c", at("all.s"), "-o", at("all.o"));
// Strings stay apart: the linkers merge equal ones, each in its own way; a module loader does not.
const flags = ["-c", "-fno-pic", "-mcmodel=small", "-ffreestanding", "-fno-merge-constants"];
run(gcc, ...flags, "-O0", at("code.c"), "-o", at("code0.o"));
run(gcc, ...flags, "-O2", at("code.c"), "-o", at("code2.o"));
const recorded = {
  recordedWith: [gcc, ...LINKERS].map(version),
  symbols: Object.fromEntries(
    Object.entries(SYMBOLS).map(([name, value]) => [name, `0x${value.toString(16)}`]),
  ),
  bss: `0x${BSS.toString(16)}`,
  cases: [
    record("every operator of the assembler", at("all.o")),
    record("C at -O0", at("code0.o")),
    record("C at -O2", at("code2.o")),
  ],
};
const target = join(import.meta.dirname, "linked.json");
writeFileSync(target, `${JSON.stringify(recorded, null, 2)}\n`);
rmSync(dir, { recursive: true });
