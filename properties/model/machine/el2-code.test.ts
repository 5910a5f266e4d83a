// Code at EL2: what it can call and reach, and every way in which it does not come back.

import { describe, expect, test } from "vitest";
import { hypStack } from "../../../model/machine/layout.ts";
import { forkMachine } from "../../../model/machine/machine.ts";
import { callEl2, enterHandler } from "../../../model/machine/run.ts";
import { hypVa } from "../../../spec/types/address.ts";
import { CODE, loadAtEl2, newMachine, notes, STARTED } from "./bench-machine.ts";

const RET = 0xd65f_03c0;
const LOOP = 0x1400_0000; // b .
const PUSH = 0xa9bf_7bfd; // stp x29, x30, [sp, #-16]!
const POP = 0xa8c1_7bfd; // ldp x29, x30, [sp], #16

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

  test("calling an EL1 address is ESR 0x86000004, a low unmapped one 0x86000005: measured", () => {
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

  test("the linear map has the hypervisor's pages, not executable, and none of the host's", () => {
    const machine = newMachine();
    // ldr x0, [x0]; ret
    loadAtEl2(machine, STARTED, [0xf940_0000, RET]);
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
    loadAtEl2(third, STARTED, [RET]);
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
      pc: CODE,
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
