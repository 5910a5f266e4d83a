// Code on the machine: calls into EL2 and EL1, the host's traps, and every way in which they end.

import { describe, expect, test } from "vitest";
import { readHostRegister, writeHostRegister } from "../../../model/machine/host-context.ts";
import { hostContext, hypStack, kernelLinear, kernelStack } from "../../../model/machine/layout.ts";
import { forkMachine } from "../../../model/machine/machine.ts";
import {
  callEl1,
  callEl2,
  enterHandler,
  hostAccess,
  hostHvc,
  hostSmc,
} from "../../../model/machine/run.ts";
import { exportedSymbol } from "../../../model/machine/symbols.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { addressOf, hypVa, kernVa, pfn } from "../../../spec/types/address.ts";
import { HYP_PAGE } from "../../../spec/types/page.ts";
import {
  CODE,
  finalised,
  loadAtEl1,
  loadAtEl2,
  marked,
  newMachine,
  notes,
  physical64,
  STARTED,
  withPages,
} from "./bench-machine.ts";

const RET = 0xd65f_03c0;
const LOOP = 0x1400_0000; // b .
const PUSH = 0xa9bf_7bfd; // stp x29, x30, [sp, #-16]!
const POP = 0xa8c1_7bfd; // ldp x29, x30, [sp], #16
/** x1 of the context becomes x1 + x2. */
const ECHO = [0xa940_8801, 0x8b02_0021, 0xf900_0401, RET]; // ldp x1, x2, [x0, #8]; add; str x1, [x0, #8]

describe("HVC of the host", () => {
  test("the environment sees the registers and the immediate; the host finds what it answered", () => {
    const machine = newMachine();
    const seen: unknown[] = [];
    const { env } = notes({
      hvc: (cpu, imm, x) => {
        seen.push([cpu, imm, [...x]]);
        return { kind: "registers", x: [0n, 0x55n] };
      },
    });
    const ran = hostHvc(machine, 1, 5, marked(0xc600_0080n), env);
    expect(seen).toEqual([[1, 5, marked(0xc600_0080n)]]);
    expect(ran).toMatchObject({ kind: "returned", x: marked(0n, 0x55n) });
    expect(machine.cores[1]!.pstate.EL).toBe(1);
    // ESR: EC 0x16, IL, immediate 5. ELR: behind the HVC.
    expect(machine.cores[1]!.sysreg.ESR_EL2).toBe(0x5a00_0005n);
  });

  test("a handler reads and writes the host's context with its own loads and stores", () => {
    const machine = newMachine();
    loadAtEl2(machine, STARTED, ECHO);
    const { env } = notes({
      hvc: (cpu) => {
        writeHostRegister(machine, cpu, 0, 0n);
        const ran = enterHandler(machine, cpu, CODE, env, 1000);
        expect(ran).toMatchObject({ kind: "returned", instructions: 4 });
        return { kind: "registers", x: [] };
      },
    });
    const ran = hostHvc(machine, 0, 0, marked(0xc600_0080n, 0x11n, 0x22n), env);
    expect(ran).toMatchObject({ kind: "returned", x: marked(0n, 0x33n, 0x22n) });
  });

  test("the whole context comes back, x18 to x30 too", () => {
    const machine = newMachine();
    const core = machine.cores[0]!;
    core.x[18] = 18n;
    core.x[30] = 30n;
    const { env } = notes({
      hvc: (cpu) => {
        expect(readHostRegister(machine, cpu, 18)).toBe(18n);
        expect(readHostRegister(machine, cpu, 30)).toBe(30n);
        return { kind: "registers", x: [] };
      },
    });
    hostHvc(machine, 0, 0, marked(), env);
    expect([core.x[18], core.x[30]]).toEqual([18n, 30n]);
  });

  test("each CPU has a context and stacks of its own", () => {
    expect(hostContext(1) - hostContext(0)).toBe(0x1000n);
    expect(hypStack(1).bottom - hypStack(0).top).toBe(0x1000n);
    expect(kernelStack(1).bottom - kernelStack(0).top).toBeGreaterThanOrEqual(0x4000n);
  });
});

describe("SMC of the host", () => {
  test("is trapped and skipped", () => {
    const machine = newMachine();
    const { env } = notes({ smc: () => ({ kind: "registers", x: [7n] }) });
    expect(hostSmc(machine, 0, 0, marked(0x8400_0000n), env)).toMatchObject({
      kind: "returned",
      x: marked(7n),
    });
    expect(machine.cores[0]!.sysreg.ESR_EL2 >> 26n).toBe(0x17n);
  });

  test("is not trapped outside protected mode, and answered all the same", () => {
    const machine = newMachine();
    const nvhe = { ...STARTED, boot: { ...STARTED.boot, mode: "nvhe", hypUp: false } as const };
    syncDescriptors(machine, STARTED, nvhe);
    const { env } = notes({ smc: () => ({ kind: "registers", x: [7n] }) });
    expect(hostSmc(machine, 0, 3, marked(1n), env)).toMatchObject({
      kind: "returned",
      x: marked(7n),
    });
    expect(machine.cores[0]!.sysreg.ESR_EL2).toBe(0n);
  });
});

describe("EL2 code", () => {
  test("an op is called through the table in memory", () => {
    const machine = newMachine();
    // init(ops): return ops->alloc_module_va(5)
    const init = [PUSH, 0xf940_0408, 0xd280_00a0, 0xd63f_0100, POP, RET];
    loadAtEl2(machine, STARTED, init);
    const seen: unknown[] = [];
    const { env } = notes({
      op: (name, args, cpu) => {
        seen.push([name, args[0], cpu, machine.cores[cpu]!.pstate.EL]);
        return { kind: "value", x0: 0x77n };
      },
    });
    const ran = callEl2(machine, 1, CODE, [machine.opsTable], env, 1000);
    expect(seen).toEqual([["alloc_module_va", 5n, 1, 2]]);
    expect(ran).toMatchObject({ kind: "returned", instructions: 6 });
    expect(ran.kind === "returned" && ran.x[0]).toBe(0x77n);
  });

  test("a reserved slot holds NULL: calling it aborts at address 0", () => {
    const machine = newMachine();
    // ldr x8, [x0, #264] is slot 33.
    loadAtEl2(machine, STARTED, [PUSH, 0xf940_8408, 0xd63f_0100, POP, RET]);
    const ran = callEl2(machine, 0, CODE, [machine.opsTable], notes().env, 1000);
    expect(ran).toMatchObject({ kind: "exception", el: 2, elr: 0n, far: 0n, entered: "inside" });
  });

  test("calling an EL1 address gives ESR 0x86000004, a low unmapped one 0x86000005, as measured", () => {
    const machine = newMachine();
    const el1 = 0xffff_ffc0_0080_0000n;
    expect(callEl2(machine, 0, hypVa(el1), [], notes().env, 1000)).toMatchObject({
      kind: "exception",
      esr: 0x8600_0004n,
      elr: el1,
      far: el1,
      entered: "init",
    });
    const again = newMachine();
    expect(enterHandler(again, 0, hypVa(0x1000n), notes().env, 1000)).toMatchObject({
      kind: "exception",
      esr: 0x8600_0005n,
      elr: 0x1000n,
      entered: "handler",
    });
  });

  test("a page of the host is not mapped at EL2; one of the hypervisor's is, and is not executable there", () => {
    const machine = newMachine();
    // ldr x0, [x0]; ret
    const post = loadAtEl2(machine, STARTED, [0xf940_0000, RET]);
    const linear = (page: number) => hypVa(0x40_0000_0000n + BigInt(page - 0x40000) * 0x1000n);
    const read = (page: number) => callEl2(machine, 0, CODE, [linear(page)], notes().env, 100);
    expect(read(0x50000)).toMatchObject({ kind: "returned" });
    // A data abort from EL2, translation fault at level 3 (its 2 MiB hold a table) and at level 2.
    expect(read(0x50001)).toMatchObject({ kind: "exception", esr: 0x9600_0007n });
    const fresh = forkMachine(newMachine());
    loadAtEl2(fresh, STARTED, [0xf940_0000, RET]);
    expect(callEl2(fresh, 0, CODE, [linear(0x60000)], notes().env, 100)).toMatchObject({
      esr: 0x9600_0006n,
      far: linear(0x60000),
    });
    // Instruction abort, permission fault, level 3.
    const third = newMachine();
    loadAtEl2(third, post === undefined ? STARTED : STARTED, [RET]);
    expect(callEl2(third, 0, linear(0x50000), [], notes().env, 100)).toMatchObject({
      esr: 0x8600_000fn,
    });
  });

  test("a stack that grows too far meets the guard page", () => {
    const machine = newMachine();
    loadAtEl2(machine, STARTED, [PUSH, 0x17ff_ffff]); // 1: stp …; b 1b
    const ran = callEl2(machine, 1, CODE, [], notes().env, 100_000);
    // 256 pushes of 16 bytes fill the page; a write, translation fault at level 3.
    expect(ran).toMatchObject({
      kind: "exception",
      esr: 0x9600_0047n,
      far: hypStack(1).bottom - 16n,
    });
  });

  test("code that never returns uses up its instructions", () => {
    const machine = newMachine();
    loadAtEl2(machine, STARTED, [LOOP]);
    expect(callEl2(machine, 0, CODE, [], notes().env, 1000)).toEqual({
      kind: "budget",
      where: `EL2 at 0x${CODE.toString(16)}`,
      instructions: 1000,
    });
  });

  test("BRK is an exception that nothing handles", () => {
    const machine = newMachine();
    loadAtEl2(machine, STARTED, [0xd421_0000]); // brk #0x800
    expect(callEl2(machine, 0, CODE, [], notes().env, 1000)).toMatchObject({
      kind: "exception",
      esr: 0xf200_0800n,
      elr: CODE,
    });
  });
});

describe("EL1 code", () => {
  /** f(x0 …): calls the kernel function whose address follows. */
  const CALLER = [PUSH, 0x5800_00a9, 0xd63f_0120, POP, RET, 0xd503_201f];

  test("calls an exported function with its own memory", () => {
    const machine = newMachine();
    const code = loadAtEl1(machine, CALLER, exportedSymbol(machine, "_printk")!);
    const text = loadAtEl1(
      machine,
      [...Buffer.from("n=%d\n\0\0\0")].length === 8 ? [0x64253d6e, 0x0000000a] : [],
    );
    const { env, asked } = notes();
    const ran = callEl1(machine, 0, code, [text, -7n], env, 1000);
    expect(asked).toEqual(["printk n=-7"]);
    expect(ran).toMatchObject({ kind: "returned", instructions: 5 });
  });

  test("a function of pKVM is the environment's; it may make hypercalls on the same CPU", () => {
    const machine = newMachine();
    const code = loadAtEl1(machine, CALLER, exportedSymbol(machine, "__pkvm_register_el2_call")!);
    const { env, asked } = notes({
      hvc: () => ({ kind: "registers", x: [0n, 128n] }),
      kernelFunction: (name, args, cpu) => {
        asked.push(`${name} ${args[0]}`);
        const ran = hostHvc(machine, cpu, 0, marked(0xc600_0010n), env);
        return { kind: "value", x0: ran.kind === "returned" ? ran.x[1]! : -1n };
      },
    });
    const ran = callEl1(machine, 0, code, [0x42n], env, 1000);
    expect(asked).toEqual(["__pkvm_register_el2_call 66"]);
    expect(ran.kind === "returned" && ran.x[0]).toBe(128n);
    expect(machine.cores[0]!.sp[1]).toBe(kernelStack(0).top);
  });

  test("a declared stub gets an address of its own; a name that nothing exports has none", () => {
    const machine = newMachine();
    expect(exportedSymbol(machine, "of_find_node_by_name")).toBeUndefined();
    const stubs = new Map([["of_find_node_by_name", 0n]]);
    const address = exportedSymbol(machine, "of_find_node_by_name", stubs)!;
    expect(exportedSymbol(machine, "of_find_node_by_name")).toBe(address);
    const code = loadAtEl1(machine, CALLER, address);
    const { env, asked } = notes();
    expect(callEl1(machine, 0, code, [], env, 1000)).toEqual({ kind: "ended" });
    expect(asked).toEqual(["kernel function of_find_node_by_name"]);
    expect(exportedSymbol(newMachine(), "of_find_node_by_name")).toBeUndefined();
  });

  test("a NULL pointer ends in an exception of EL1; so does a kernel function that is given one", () => {
    const machine = newMachine();
    // ldr x0, [x0]
    const code = loadAtEl1(machine, [0xf940_0000, RET]);
    expect(callEl1(machine, 0, code, [8n], notes().env, 1000)).toMatchObject({
      kind: "exception",
      el: 1,
      // Data abort, same level, translation fault at level 1: TTBR0 maps nothing.
      esr: 0x9600_0005n,
      elr: code,
      far: 8n,
    });
    const other = newMachine();
    const strlen = exportedSymbol(other, "strlen")!;
    const caller = loadAtEl1(other, CALLER, strlen);
    expect(callEl1(other, 0, caller, [0n], notes().env, 1000)).toMatchObject({
      kind: "exception",
      el: 1,
      esr: 0x9600_0005n,
      elr: strlen,
      far: 0n,
    });
  });

  test("a WARN goes on where the environment says", () => {
    const machine = newMachine();
    // brk #0x800; mov x0, #5; ret
    const code = loadAtEl1(machine, [0xd421_0000, 0xd280_00a0, RET]);
    const { env } = notes({
      hostException: (_cpu, esr, elr) => (esr === 0xf200_0800n ? elr + 4n : undefined),
    });
    const ran = callEl1(machine, 0, code, [], env, 1000);
    expect(ran.kind === "returned" && ran.x[0]).toBe(5n);
  });

  test("module code is not writable, data is not executable, the stack has a guard", () => {
    const machine = newMachine();
    const code = loadAtEl1(machine, [0xf900_0001, RET]); // str x1, [x0]
    expect(callEl1(machine, 0, code, [code, 0n], notes().env, 100)).toMatchObject({
      esr: 0x9600_004fn,
      far: code,
    });
    const second = newMachine();
    expect(callEl1(second, 0, kernelLinear(0x5000_0000n), [], notes().env, 100)).toMatchObject({
      kind: "exception",
      el: 1,
      esr: 0x8600_000dn,
    });
    const third = newMachine();
    const push = loadAtEl1(third, [PUSH, 0x17ff_ffff]);
    expect(callEl1(third, 0, push, [], notes().env, 100_000)).toMatchObject({
      kind: "exception",
      el: 1,
      far: kernelStack(0).bottom - 16n,
    });
  });

  test("__arm_smccc_hvc is real code and makes a real HVC", () => {
    const machine = newMachine();
    const hvc = exportedSymbol(machine, "__arm_smccc_hvc")!;
    // sub sp, sp, #32; str x1, [sp]; …: the result pointer is the first argument on the stack.
    const code = loadAtEl1(
      machine,
      // stp x29, x30, [sp, #-32]!; str x1, [sp, #0]; ldr x9, lit; blr x9; ldp x29, x30, [sp], #32; ret
      [
        0xd100_83ff,
        0xf900_0bfe,
        0xf900_03e1,
        0x5800_00a9,
        0xd63f_0120,
        0xf940_0bfe,
        0x9100_83ff,
        RET,
      ],
      hvc,
    );
    const result = kernVa(kernelLinear(0x5000_0000n));
    const { env } = notes({ hvc: () => ({ kind: "registers", x: [1n, 2n, 3n, 4n] }) });
    expect(callEl1(machine, 0, code, [0xc600_0080n, result], env, 1000).kind).toBe("returned");
    const words = [0n, 8n, 16n, 24n].map((at) => physical64(machine, 0x5000_0000n + at));
    expect(words).toEqual([1n, 2n, 3n, 4n]);
  });
});

describe("accesses of the host", () => {
  const PAGE = pfn(0x50010);
  const VA = kernelLinear(addressOf(PAGE));
  const donated = withPages(STARTED, new Map([[PAGE, HYP_PAGE]]));

  test("load and store of each size", () => {
    const machine = newMachine();
    const { env } = notes();
    const access = (sizeBytes: 1 | 2 | 4 | 8, store?: bigint) =>
      hostAccess(machine, 0, { va: VA, sizeBytes, store }, env);
    expect(access(8, 0x1122_3344_5566_7788n).kind).toBe("value");
    expect(access(4)).toEqual({ kind: "value", value: 0x5566_7788n });
    expect(access(2)).toEqual({ kind: "value", value: 0x7788n });
    access(1, 0xffn);
    expect(access(8)).toEqual({ kind: "value", value: 0x1122_3344_5566_77ffn });
    expect(hostAccess(machine, 0, { va: 0n, sizeBytes: 8, store: undefined }, env)).toEqual({
      kind: "fault",
      esr: 0x9600_0005n,
      far: 0n,
    });
  });

  test("before its CPU is finalised the host reads what the hypervisor owns", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, donated);
    expect(
      hostAccess(machine, 0, { va: VA, sizeBytes: 8, store: undefined }, notes().env).kind,
    ).toBe("value");
  });

  test("after it, its own pages are mapped as it touches them, and nobody is asked", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(STARTED));
    const { env, asked } = notes();
    expect(hostAccess(machine, 1, { va: VA, sizeBytes: 8, store: 5n }, env).kind).toBe("value");
    expect(asked).toEqual([]);
  });

  test("a page of the hypervisor's is asked about; the abort that is injected carries S1PTW", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(donated));
    const seen: unknown[] = [];
    const { env } = notes({
      hostAbort: (cpu, { reason, ipa, far }) => {
        seen.push([cpu, reason, ipa, far]);
        return { kind: "inject" };
      },
    });
    const accessed = hostAccess(machine, 0, { va: VA + 8n, sizeBytes: 8, store: 1n }, env);
    expect(seen).toEqual([[0, "not the host's", addressOf(PAGE), VA + 8n]]);
    // EC 0x25, IL, ISV and its fields as EL2 saw them, S1PTW, WnR, translation fault at level 3.
    expect(accessed).toMatchObject({ kind: "fault", far: VA + 8n });
    const esr = accessed.kind === "fault" ? accessed.esr : 0n;
    expect([esr >> 26n, esr & 0xffn]).toEqual([0x25n, 0xc7n]);
    expect(physical64(machine, addressOf(PAGE) + 8n)).toBe(0n);
    expect(machine.cores[0]!.pstate.EL).toBe(1);
  });

  test("a kernel function that touches such a page meets the same abort", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(donated));
    const memset = exportedSymbol(machine, "memset")!;
    const code = loadAtEl1(
      machine,
      [PUSH, 0x5800_00a9, 0xd63f_0120, POP, RET, 0xd503_201f],
      memset,
    );
    const { env } = notes({ hostAbort: () => ({ kind: "inject" }) });
    expect(callEl1(machine, 0, code, [VA, 0n, 8n], env, 1000)).toMatchObject({
      kind: "exception",
      el: 1,
      elr: memset,
      far: VA,
    });
  });

  test("the end of the system in an answer ends the run", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(donated));
    const { env, asked } = notes();
    expect(hostAccess(machine, 0, { va: VA, sizeBytes: 8, store: undefined }, env)).toEqual({
      kind: "ended",
    });
    expect(asked).toEqual(["abort 0 not the host's"]);
  });
});

test("a fork and its origin do not see each other", () => {
  const machine = newMachine();
  const va = kernelLinear(0x5000_0000n);
  const { env } = notes();
  const load = { va, sizeBytes: 8, store: undefined } as const;
  hostAccess(machine, 0, { va, sizeBytes: 8, store: 1n }, env);
  const fork = forkMachine(machine);
  hostAccess(fork, 0, { va, sizeBytes: 8, store: 2n }, env);
  expect(hostAccess(machine, 0, load, env)).toEqual({ kind: "value", value: 1n });
  expect(hostAccess(fork, 0, load, env)).toEqual({ kind: "value", value: 2n });
  const a = loadAtEl1(machine, [RET]);
  const b = loadAtEl1(fork, [0xd280_00a0, RET]);
  expect(a).toBe(b);
  expect(callEl1(machine, 0, a, [9n], env, 10)).toMatchObject({
    x: marked(9n)
      .fill(0n, 1)
      .map((v, n) => (n === 0 ? v : expect.anything())),
  });
});
