// `exec`: what it loads, how runs end, and what it refuses.

import { describe, expect, it } from "vitest";
import { kernelFile } from "../../tools/bench/core/kernels.ts";
import { type ExecOptions, execCommand, execImage, parseValue, RETURN } from "../../tools/exec.ts";

const AT = 0x4100_0000n;

const words = (...values: readonly number[]): Uint8Array =>
  new Uint8Array(Uint32Array.from(values).buffer);

// Encodings from DDI0487 C6.2, as GNU as writes them.
const RET = 0xd65f03c0;
const ADD_X0_X0_1 = 0x91000400;
const B_SELF = 0x14000000;
const SVC_0 = 0xd4000001;
const HVC_5 = 0xd40000a2;
const SMC_3 = 0xd4000063;
const WFI = 0xd503207f;
const FADD_D0 = 0x1e602800;
const MOV_SP_TO_X1 = 0x910003e1;
const ADR_X0_0 = 0x10000000;

function ends(image: Uint8Array, options: Partial<ExecOptions> = {}) {
  return execImage({ image, at: AT, el: 2, ...options });
}

/** A little ELF: one program header a segment, each with its bytes. */
function elf(
  type: number,
  entry: bigint,
  segments: readonly { address: bigint; bytes: Uint8Array; sizeBytes?: number; type?: number }[],
): Uint8Array {
  const headers = 64 + 56 * segments.length;
  const total = segments.reduce((sum, { bytes }) => sum + bytes.length, headers);
  const file = new Uint8Array(total);
  const view = new DataView(file.buffer);
  file.set([0x7f, 0x45, 0x4c, 0x46, 2, 1, 1]);
  view.setUint16(16, type, true);
  view.setUint16(18, 183, true);
  view.setBigUint64(24, entry, true);
  view.setBigUint64(32, 64n, true);
  view.setUint16(54, 56, true);
  view.setUint16(56, segments.length, true);
  let offset = headers;
  segments.forEach(({ address, bytes, sizeBytes = bytes.length, type: kind = 1 }, i) => {
    const header = 64 + 56 * i;
    view.setUint32(header, kind, true);
    view.setBigUint64(header + 8, BigInt(offset), true);
    view.setBigUint64(header + 16, address, true);
    view.setBigUint64(header + 32, BigInt(bytes.length), true);
    view.setBigUint64(header + 40, BigInt(sizeBytes), true);
    file.set(bytes, offset);
    offset += bytes.length;
  });
  return file;
}

const [ET_EXEC, ET_DYN] = [2, 3];

describe("how a run ends", () => {
  it.each([0, 1, 2] as const)("at EL%i code returns to what x30 was", (el) => {
    const { ended, core } = ends(words(ADD_X0_X0_1, RET), { el, x: { 0: 41n } });
    expect(ended).toEqual({ kind: "returned" });
    expect(core.x[0]).toBe(42n);
  });

  it("the two instructions of a call are counted", () => {
    expect(ends(words(ADD_X0_X0_1, RET)).instructions).toBe(2);
  });

  it("a loop uses up its budget", () => {
    const { ended, instructions } = ends(words(B_SELF), { budget: 1000 });
    expect(ended).toEqual({ kind: "budget" });
    expect(instructions).toBe(1000);
  });

  it.each([
    ["SVC at EL0 goes to EL1", SVC_0, 0, 1, 0x400],
    ["SVC at EL1 stays there", SVC_0, 1, 1, 0x200],
    ["HVC at EL1 goes to EL2", HVC_5, 1, 2, 0x400],
  ] as const)("%s", (_, word, el, to, offset) => {
    expect(ends(words(word), { el }).ended).toEqual({ kind: "exception", to, offset });
  });

  it("SMC, WFI and floating point stop by name", () => {
    expect(ends(words(SMC_3)).ended).toEqual({ kind: "smc", imm: 3 });
    expect(ends(words(WFI)).ended).toEqual({ kind: "wait", instruction: "WFI" });
    expect(ends(words(FADD_D0)).ended).toMatchObject({ kind: "unmodelled", word: FADD_D0 });
  });

  it("x0 to x30 and sp are what is given", () => {
    const { core } = ends(words(MOV_SP_TO_X1, RET), { sp: 0x5000n, x: { 29: 7n } });
    expect([core.x[1], core.x[29], core.x[30]]).toEqual([0x5000n, 7n, RETURN]);
  });
});

describe("what is loaded", () => {
  it("an ELF with fixed addresses starts at its entry, or at --at", () => {
    const bytes = words(ADD_X0_X0_1, RET, ADR_X0_0, RET);
    const image = elf(ET_EXEC, 0x4200_0000n, [{ address: 0x4200_0000n, bytes }]);
    expect(execImage({ image, el: 1 }).core.x[0]).toBe(1n);
    expect(execImage({ image, el: 1, at: 0x4200_0008n }).core.x[0]).toBe(0x4200_0008n);
  });

  it("a position-independent ELF is moved as a whole", () => {
    const image = elf(ET_DYN, 0x100n, [{ address: 0x100n, bytes: words(ADR_X0_0, RET) }]);
    expect(execImage({ image, el: 1, at: AT }).core.x[0]).toBe(AT + 0x100n);
  });

  it("memory of a segment beyond its bytes is zero, outside of the usual memory too", () => {
    const LDR_X0_X1 = 0xf9400020;
    const bytes = words(LDR_X0_X1, RET);
    const image = elf(ET_EXEC, 0x1000n, [{ address: 0x1000n, bytes, sizeBytes: 0x2000 }]);
    const read = (address: bigint) => execImage({ image, el: 1, x: { 1: address } });
    expect(read(0x2ff8n).ended).toEqual({ kind: "returned" });
    expect(read(0x2ff8n).core.x[0]).toBe(0n);
    expect(read(0x3000n).ended).toEqual({ kind: "exception", to: 1, offset: 0x200 });
  });
});

describe("what is refused, in one line", () => {
  const program = elf(ET_EXEC, 0x1000n, [{ address: 0x1000n, bytes: words(RET) }]);
  const patched = (offset: number, ...bytes: readonly number[]): Uint8Array => {
    const copy = program.slice();
    copy.set(bytes, offset);
    return copy;
  };

  it.each([
    ["an empty file", new Uint8Array(0), undefined, "the file is empty"],
    ["a flat image without --at", words(RET), undefined, "needs --at"],
    ["an address beyond memory", words(RET), 1n << 60n, "beyond the 48 bits"],
    ["a header cut off", program.slice(0, 40), undefined, "cut off"],
    ["headers cut off", program.slice(0, 100), undefined, "program headers lie beyond"],
    ["a segment cut off", program.slice(0, -1), undefined, "lies beyond the end"],
    ["32 bits", patched(4, 1), undefined, "not a 64-bit ELF"],
    ["big-endian", patched(5, 2), undefined, "not a little-endian ELF"],
    ["another machine", patched(18, 62), undefined, "machine 62"],
    ["a module", patched(16, 1), undefined, "ET_REL"],
    ["a dynamic program", patched(64, 3), undefined, "dynamic linker"],
    ["no segments", patched(56, 0), undefined, "no segment"],
    ["odd program headers", patched(54, 1), undefined, "1 bytes"],
    ["too many of them", patched(56, 255, 255), undefined, "65535 program headers"],
    ["more in the file than in memory", patched(64 + 40, 1), undefined, "more bytes"],
    ["an address that wraps", patched(64 + 16, ...new Array(8).fill(0xff)), undefined, "beyond"],
  ] as const)("%s", (_, image, at, message) => {
    expect(() => execImage({ image, at, el: 1 })).toThrow(message);
  });

  it.each(["", "abc", "0x", "1.5", "-1", "0x10000000000000000"])("the number %j", (text) => {
    expect(() => parseValue("--at", text)).toThrow("--at");
  });

  it("a missing file, an unknown level, an unknown processor", () => {
    const kernels = kernelFile("kernels.bin");
    expect(execCommand("/nowhere", { at: "0" }).text).toMatch(/^pkvm-spec exec: .*ENOENT$/);
    expect(execCommand(kernels, { at: "0", el: "3" }).text).toMatch(/--el: "3"/);
    expect(execCommand(kernels, { at: "0", cpu: "x" }).text).toMatch(/cortex-a76 or max/);
    for (const flags of [{ at: "0", el: "3" }, { at: "y" }]) {
      const { ok, text } = execCommand(kernels, flags);
      expect([ok, text.split("\n").length]).toEqual([false, 1]);
    }
  });
});

describe("what is printed", () => {
  it("how it stopped, the instructions, the registers", () => {
    const flags = { at: "0x40080000", x0: "7", x1: "1", x2: "0x48000000" };
    const { ok, text } = execCommand(kernelFile("kernels.bin"), flags);
    expect(ok).toBe(true);
    expect(text).toMatch(/^stopped {3}returned\nexecuted {2}336673 instructions\n/);
    expect(text).toContain("x0  0x9edf7bd57bbfe3cb");
    for (let n = 0; n < 31; n++) expect(text).toMatch(new RegExp(`\\bx${n} +0x[0-9a-f]{16}\\b`));
  });
});
