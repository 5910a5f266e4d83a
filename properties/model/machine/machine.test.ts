// The machine itself: what lies where, module memory, EL2 pointers, and translations that are kept
// too long.

import { describe, expect, test } from "vitest";
import { max } from "../../../cpu/cpu-model.ts";
import { PRIVATE_FIRST_FREE } from "../../../model/initial.ts";
import { freePages } from "../../../model/kernel/exported/page-allocator.ts";
import { disagreements } from "../../../model/machine/abstract.ts";
import { opGate } from "../../../model/machine/gates.ts";
import { hostLeaf, readHyp, writeHyp } from "../../../model/machine/hyp-memory.ts";
import { kernelOf } from "../../../model/machine/kernel.ts";
import {
  allocModuleMemory,
  freeModuleMemory,
  hostRefused,
  kernelPa,
  pfnOfKernVa,
  readKernel64,
  readKernelS32,
  writeKernel64,
  writeKernelBytes,
} from "../../../model/machine/kernel-memory.ts";
import {
  FREE_FRAMES,
  hypStack,
  KERNEL_TEXT,
  KERNEL_TEXT_BYTES,
  kernelLinear,
  kernHypVa,
  MODULE_AREA,
} from "../../../model/machine/layout.ts";
import { createMachine, forkMachine } from "../../../model/machine/machine.ts";
import { callEl2, hostAccess, hostHvc } from "../../../model/machine/run.ts";
import { exportedSymbol } from "../../../model/machine/symbols.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { BRANCH_NAMES } from "../../../spec/branches/branch.ts";
import { BRANCHES } from "../../../spec/branches/branches.ts";
import { addressOf, kernVa, pfn } from "../../../spec/types/address.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import {
  CODE,
  CODE_PAGE,
  finalised,
  loadAtEl2,
  marked,
  newMachine,
  notes,
  physical64,
  STARTED,
  withPages,
} from "./bench-machine.ts";

const ANDROID14 = BRANCHES["android14-6.1"];

describe("layout", () => {
  test("addresses of the measured machine", () => {
    expect(kernelLinear(ANDROID14, 0x7f40_0000n)).toBe(0xffff_ff80_3f40_0000n);
    expect(kernHypVa(ANDROID14, 0xffff_ff80_0800_0000n)).toBe(0x40_0800_0000n);
    const machine = newMachine();
    expect(kernelPa(machine, 0xffff_ff80_0000_1234n)).toBe(0x4000_1234n);
    expect(kernelPa(machine, 0x0000_007f_c000_0000n)).toBeUndefined();
    expect(machine.cores.map(({ sysreg }) => sysreg.MPIDR_EL1 & 0xffn)).toEqual([0n, 1n]);
  });

  test("every direct branch of a module reaches the kernel's text", () => {
    expect(KERNEL_TEXT + KERNEL_TEXT_BYTES - MODULE_AREA.start).toBe(128n << 20n);
  });

  test("what the hypervisor keeps for itself ends before the first free address", () => {
    expect(hypStack(3).top).toBeLessThanOrEqual(PRIVATE_FIRST_FREE);
  });

  test("a machine has one to four CPUs", () => {
    expect(() => createMachine(ANDROID14, 0)).toThrow(RangeError);
    expect(() => createMachine(ANDROID14, 5)).toThrow(RangeError);
    expect(disagreements(createMachine(ANDROID14, 4), STARTED)).toHaveLength(0);
  });

  test.each(BRANCH_NAMES)(
    "%s: the table of ops holds a gate for each op and nothing else",
    (name) => {
      const branch = BRANCHES[name];
      const machine = createMachine(branch, 1);
      for (const { slot, offset, op } of branch.ops) {
        const present = op !== undefined && !branch.nullOps.includes(op);
        const word = readHyp(machine, 0, machine.opsTable + BigInt(offset), 8) as Uint8Array;
        const expected = present ? opGate(slot) : 0n;
        expect(new DataView(word.buffer).getBigUint64(0, true), `${op}`).toBe(expected);
      }
    },
  );

  test("a kernel function sees the frame behind an address", () => {
    const hooks = { print: () => undefined, call: () => 0n };
    const kernel = kernelOf(newMachine(), 0, hooks);
    expect(kernel.frameAt(kernVa(0xffff_ff80_0000_1234n))).toBe(0x4_0001);
    expect(kernel.frameAt(kernVa(0x0000_007f_c000_0000n))).toBeUndefined();
  });

  test("exported variables hold what the kernel's hold", () => {
    const machine = newMachine();
    const read = (name: string, offset = 0n): bigint =>
      readKernel64(machine, exportedSymbol(machine, name)! + offset);
    expect(read("memstart_addr")).toBe(0x4000_0000n);
    expect(read("nr_cpu_ids")).toBe(2n);
    // Four kinds of caches, fourteen sizes of each; other variables follow.
    const caches = exportedSymbol(machine, "kmalloc_caches")!;
    const [last, next] = [55n, 56n].map((n) => read("kmalloc_caches", 8n * n));
    expect([last === caches, next === caches]).toEqual([true, false]);
    // 75,000 ticks, five minutes at 250 Hz, before 2^32.
    expect([read("jiffies"), read("jiffies_64")]).toEqual([0xfffe_db08n, 0xfffe_db08n]);
    expect(read("param_ops_bool")).toBe(1n);
    expect(read("param_ops_int", 8n)).toBe(exportedSymbol(machine, "param_set_int"));
    expect(read("kimage_voffset")).toBe(KERNEL_TEXT - kernelPa(machine, KERNEL_TEXT)!);
  });

  test("the firmware's region is not in the kernel's linear map", () => {
    const firmware = { start: 0x7800_0000n, end: 0x7810_0000n };
    const machine = createMachine(ANDROID14, 1, { firmware });
    expect(kernelPa(machine, kernelLinear(ANDROID14, firmware.start - 8n))).toBe(
      firmware.start - 8n,
    );
    expect(kernelPa(machine, kernelLinear(ANDROID14, firmware.start))).toBeUndefined();
    expect(kernelPa(machine, kernelLinear(ANDROID14, firmware.end))).toBe(firmware.end);
    expect(FREE_FRAMES.end * 4096).toBeLessThanOrEqual(Number(firmware.start));
  });

  test("a hypercall works on the processor with everything, too", () => {
    const machine = createMachine(ANDROID14, 2, { cpuModel: max });
    const { env } = notes({ hvc: () => ({ kind: "registers", x: [0n] }) });
    expect(hostHvc(machine, 1, 0, marked(1n), env)).toMatchObject({
      kind: "returned",
      x: marked(0n),
    });
  });
});

describe("module memory", () => {
  test("addresses in a row, zero, one unmapped page behind", () => {
    const machine = newMachine();
    const base = allocModuleMemory(machine, 2)!;
    expect(base).toBe(MODULE_AREA.start);
    expect(readKernel64(machine, base + 0x1ff8n)).toBe(0n);
    expect(kernelPa(machine, base + 0x2000n)).toBeUndefined();
    expect(allocModuleMemory(machine, 1)).toBe(base + 0x3000n);
    writeKernelBytes(machine, base + 0xffcn, Uint8Array.of(1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff));
    expect(readKernelS32(machine, base + 0x1000n)).toBe(-1);
    writeKernel64(machine, base, -2n);
    expect(readKernel64(machine, base)).toBe(0xffff_ffff_ffff_fffen);
  });

  test("freed pages come back, last in first out, and are zero again", () => {
    const machine = newMachine();
    const base = allocModuleMemory(machine, 2)!;
    const frames = [0n, 0x1000n].map((at) => pfnOfKernVa(machine, (base + at) as typeof base));
    writeKernel64(machine, base, 7n);
    freeModuleMemory(machine, base, 2);
    expect(kernelPa(machine, base)).toBeUndefined();
    const again = allocModuleMemory(machine, 1)!;
    expect([again, pfnOfKernVa(machine, again)]).toEqual([base, frames[1]]);
    const other = allocModuleMemory(machine, 1)!;
    expect(pfnOfKernVa(machine, other)).toBe(frames[0]);
    expect(readKernel64(machine, other)).toBe(0n);
    expect(() => freeModuleMemory(machine, other, 2)).toThrow(/no region/);
  });

  test("more than there is, of addresses or of pages, is refused and takes nothing", () => {
    const machine = newMachine();
    const { next } = machine.pages;
    expect(allocModuleMemory(machine, 1 << 20)).toBeUndefined();
    // 120 MiB are 30720 pages, one of them the guard.
    expect(allocModuleMemory(machine, 30720)).toBeUndefined();
    const small = forkMachine(machine);
    small.pages.next = FREE_FRAMES.end - 2;
    expect(allocModuleMemory(small, 3)).toBeUndefined();
    expect(allocModuleMemory(small, 2)).toBe(MODULE_AREA.start);
    expect(machine.pages.next).toBeGreaterThanOrEqual(next);
    expect(machine.pages.held.size).toBe(0);
  });

  test("a page that EL2 kept is not the host's: the kernel would die of writing it", () => {
    const machine = newMachine();
    const base = allocModuleMemory(machine, 1)!;
    const page = pfnOfKernVa(machine, base);
    const owned = withPages(STARTED, new Map([[page, HYP_PAGE]]));
    syncDescriptors(machine, STARTED, owned);
    expect(hostRefused(machine, 0, base)).toBeUndefined();
    syncDescriptors(machine, owned, finalised(owned));
    expect(hostRefused(machine, 0, base)).toBe("0xffffffc000800000 is on a page of HYP");
    // The allocator does not know: the page comes back from it with its contents untouched.
    writeKernel64(machine, base, 9n);
    freeModuleMemory(machine, base, 1);
    expect(pfnOfKernVa(machine, allocModuleMemory(machine, 1)!)).toBe(page);
    expect(physical64(machine, addressOf(page))).toBe(9n);
    expect(freePages(machine.pages, page, 1)).toBe(false);
  });
});

describe("EL2 pointers", () => {
  test("are read and written with EL2's translation and permissions", () => {
    const machine = newMachine();
    loadAtEl2(machine, STARTED, [0xd65f_03c0]);
    expect(readHyp(machine, 0, CODE, 4)).toEqual(Uint8Array.of(0xc0, 0x03, 0x5f, 0xd6));
    // Permission fault at level 3 from EL2, a write.
    expect(writeHyp(machine, 0, CODE, Uint8Array.of(1))).toMatchObject({
      target: 2,
      ec: 0x25,
      iss: 0x4f,
    });
    const alias = 0x40_1000_0000n;
    expect(writeHyp(machine, 0, alias + 0xff8n, new Uint8Array(8).fill(7))).toBeUndefined();
    expect(readHyp(machine, 0, CODE + 0xffcn, 4)).toEqual(new Uint8Array(4).fill(7));
    expect(writeHyp(machine, 0, alias + 0xffcn, new Uint8Array(8))).toMatchObject({
      far: alias + 0x1000n,
    });
    expect(machine.cores[0]!.pstate.EL).toBe(1);
  });

  test("an op that faults on its pointer is an exception of EL2 at the op", () => {
    const machine = newMachine();
    // ldr x8, [x0, #224] is slot 28, memset; blr x8
    loadAtEl2(machine, STARTED, [0xa9bf_7bfd, 0xf940_7008, 0xd63f_0100, 0xa8c1_7bfd, 0xd65f_03c0]);
    const { env } = notes({
      op: (name, args, cpu) => {
        const fault = writeHyp(machine, cpu, args[1]!, new Uint8Array(4));
        expect(name).toBe("memset");
        return fault === undefined ? { kind: "value", x0: args[1] } : { kind: "fault", fault };
      },
    });
    const good = forkMachine(machine);
    expect(callEl2(good, 0, CODE, [good.opsTable, 0x20_0000_1000n], env, 100).kind).toBe(
      "returned",
    );
    expect(callEl2(machine, 0, CODE, [machine.opsTable, 0x123n], env, 100)).toMatchObject({
      kind: "exception",
      el: 2,
      elr: opGate(28),
      far: 0x123n,
      entered: "inside",
    });
  });

  test("a leaf of the host's stage 2 as an op answers it", () => {
    const machine = newMachine();
    expect(hostLeaf(machine, 0x7f40_0000n)).toMatchObject({ entry: 4n, level: 3 });
    expect(hostLeaf(machine, 0x5000_0000n)).toMatchObject({ entry: 0n });
  });
});

describe("a TLB that keeps every translation", () => {
  const stale = () => createMachine(ANDROID14, 2, { tlb: "stale" });
  const PAGE = pfn(0x50010);
  const VA = kernelLinear(ANDROID14, addressOf(PAGE));
  const load = { va: VA, sizeBytes: 8, store: undefined } as const;

  test("forgets the host's translation on every CPU when a page is taken from the host", () => {
    const machine = stale();
    const on = finalised(STARTED);
    syncDescriptors(machine, STARTED, on);
    const { env, asked } = notes({ hostAbort: () => ({ kind: "inject" }) });
    for (const cpu of [0, 1]) expect(hostAccess(machine, cpu, load, env).kind).toBe("value");
    syncDescriptors(machine, on, withPages(on, new Map([[PAGE, HYP_PAGE]])));
    for (const cpu of [0, 1]) expect(hostAccess(machine, cpu, load, env).kind).toBe("fault");
    expect(asked).toEqual([]);
  });

  test("would still have it without the TLBI: the test above can fail", () => {
    const machine = stale();
    const on = finalised(STARTED);
    syncDescriptors(machine, STARTED, on);
    const { env } = notes({ hostAbort: () => ({ kind: "inject" }) });
    hostAccess(machine, 0, load, env);
    const { at, level } = hostLeaf(machine, addressOf(PAGE));
    expect(level).toBe(2);
    machine.physical.write64(at, 0x4n);
    expect(hostAccess(machine, 0, load, env).kind).toBe("value");
  });

  test("forgets EL2's translation when a module's page is unmapped", () => {
    const machine = stale();
    const loaded = loadAtEl2(machine, STARTED, [0xd65f_03c0]);
    const enter = () => callEl2(machine, 1, CODE, [], notes().env, 10);
    expect(enter().kind).toBe("returned");
    syncDescriptors(machine, loaded, STARTED);
    expect(enter()).toMatchObject({
      kind: "exception",
      esr: 0x8600_0007n,
      elr: CODE,
      entered: "init",
    });
    expect(disagreements(machine, STARTED)).toEqual([]);
    expect(hostLeaf(machine, addressOf(CODE_PAGE)).entry).toBe(0n);
  });
});
