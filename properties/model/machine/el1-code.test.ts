// Code at EL1: kernel functions, faults, and code of the kernel that is executed.

import { describe, expect, test } from "vitest";
import { kernelLinear, kernelStack } from "../../../model/machine/layout.ts";
import { callEl1, hostHvc } from "../../../model/machine/run.ts";
import { exportedSymbol } from "../../../model/machine/symbols.ts";
import { ANDROID14_6_1 as ANDROID14 } from "../../../spec/branches/android14-6.1.ts";
import { kernVa } from "../../../spec/types/address.ts";
import { loadAtEl1, marked, newMachine, notes, physical64 } from "./bench-machine.ts";

const RET = 0xd65f_03c0;
const PUSH = 0xa9bf_7bfd; // stp x29, x30, [sp, #-16]!
const POP = 0xa8c1_7bfd; // ldp x29, x30, [sp], #16

describe("EL1 code", () => {
  /** f(x0 …): calls the kernel function whose address follows. */
  const CALLER = [PUSH, 0x5800_00a9, 0xd63f_0120, POP, RET, 0xd503_201f];

  test("calls an exported function with its own memory", () => {
    const machine = newMachine();
    const code = loadAtEl1(machine, CALLER, exportedSymbol(machine, "_printk")!);
    const text = loadAtEl1(machine, [0x64_25_3d_6e, 0x0a]); // "n=%d\n"
    const { env, asked } = notes();
    const ran = callEl1(machine, 0, code, [text, -7n], env, 1000);
    expect(asked).toEqual(["printk n=-7"]);
    expect(ran).toMatchObject({ kind: "returned", instructions: 5 });
  });

  // AAPCS64, 6.8.2: what has no register left is on the stack, from the SP of the call on.
  test("the ninth argument is read from the stack of EL1", () => {
    const machine = newMachine();
    const code = loadAtEl1(
      machine,
      // sub sp, sp, #16; str x1, [sp]; the call; add sp, sp, #16
      [PUSH, 0xd100_43ff, 0xf900_03e1, 0x5800_00a9, 0xd63f_0120, 0x9100_43ff, POP, RET],
      exportedSymbol(machine, "_printk")!,
    );
    const bytes = Buffer.from(`${"%d ".repeat(8)}\n\0\0\0`);
    const words = Array.from({ length: bytes.length >> 2 }, (_, n) => bytes.readUInt32LE(4 * n));
    const text = loadAtEl1(machine, words);
    const { env, asked } = notes();
    callEl1(machine, 0, code, [text, 1n, 2n, 3n, 4n, 5n, 6n, 7n], env, 1000);
    expect(asked).toEqual(["printk 1 2 3 4 5 6 7 1 "]);
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

  test("a NULL pointer ends in an exception of EL1, in a kernel function too", () => {
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
    expect(
      callEl1(second, 0, kernelLinear(ANDROID14, 0x5000_0000n), [], notes().env, 100),
    ).toMatchObject({
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
    // The result pointer is the first argument on the stack.
    const code = loadAtEl1(
      machine,
      // sub sp, sp, #32; str x30, [sp, #16]; str x1, [sp]; ldr x9, literal; blr x9;
      // ldr x30, [sp, #16]; add sp, sp, #32; ret
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
    const result = kernVa(kernelLinear(ANDROID14, 0x5000_0000n));
    const { env } = notes({ hvc: () => ({ kind: "registers", x: [1n, 2n, 3n, 4n] }) });
    expect(callEl1(machine, 0, code, [0xc600_0080n, result], env, 1000).kind).toBe("returned");
    const words = [0n, 8n, 16n, 24n].map((at) => physical64(machine, 0x5000_0000n + at));
    expect(words).toEqual([1n, 2n, 3n, 4n]);
  });
});
