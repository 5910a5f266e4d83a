// The host's HVC and SMC, and its loads and stores behind stage 2.

import { describe, expect, test } from "vitest";
import { readHostRegister, writeHostRegister } from "../../../model/machine/host-context.ts";
import { hostContext, hypStack, kernelLinear, kernelStack } from "../../../model/machine/layout.ts";
import { forkMachine } from "../../../model/machine/machine.ts";
import { callEl1, enterHandler, hostAccess, hostHvc, hostSmc } from "../../../model/machine/run.ts";
import { exportedSymbol } from "../../../model/machine/symbols.ts";
import { syncDescriptors } from "../../../model/pgtable/sync.ts";
import { ANDROID14_6_1 as ANDROID14 } from "../../../spec/branches/android14-6.1.ts";
import { addressOf, pfn } from "../../../spec/types/address.ts";
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
const PUSH = 0xa9bf_7bfd; // stp x29, x30, [sp, #-16]!
const POP = 0xa8c1_7bfd; // ldp x29, x30, [sp], #16
/** x1 of the context becomes x1 + x2: ldp x1, x2, [x0, #8]; add; str x1, [x0, #8]; ret. */
const ECHO = [0xa940_8801, 0x8b02_0021, 0xf900_0401, RET];

describe("HVC of the host", () => {
  test("the environment sees registers and immediate; the host finds what it answered", () => {
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

describe("accesses of the host", () => {
  const PAGE = pfn(0x50010);
  const VA = kernelLinear(ANDROID14, addressOf(PAGE));
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

  test("a page of the hypervisor's is asked about; the injected abort carries S1PTW", () => {
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

  test("a kernel function touches tables and pages for the first time, too", () => {
    const machine = newMachine();
    syncDescriptors(machine, STARTED, finalised(STARTED));
    const { env, asked } = notes();
    const memset = exportedSymbol(machine, "memset")!;
    expect(callEl1(machine, 1, memset, [VA, 0x41n, 4n], env, 100).kind).toBe("returned");
    expect(physical64(machine, addressOf(PAGE))).toBe(0x4141_4141n);
    expect(asked).toEqual([]);
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
  const va = kernelLinear(ANDROID14, 0x5000_0000n);
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
