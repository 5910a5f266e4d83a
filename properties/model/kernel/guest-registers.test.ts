// Registers of guests: what CPU_ON gives a vCPU, and what a vCPU finds again when it goes on.

import { expect, test } from "vitest";
import type { Run } from "../../../model/log.ts";
import { runScenario } from "../../../model/machine/run-scenario.ts";
import { guestLife } from "../../../model/scenario.ts";
import { bootOf } from "../../arbitraries/failing-loads.ts";

/** Where the second vCPU starts, from the first instruction. */
const SECOND = 0x100;
/** No memory is there: a store comes to the process. */
const DEVICE = 0x900_0000n;

/** PSCI 1.1, 5.6: CPU_ON (0xc4000003) of MPIDR 1 at GUEST_START + 0x100 with context 0x77. */
const FIRST_CODE = [
  0xd2800060, // movz x0, #3
  0xf2b88000, // movk x0, #0xc400, lsl #16
  0xd2800021, // movz x1, #1
  0xd2b00002, // movz x2, #0x8000, lsl #16
  0xf2802002, // movk x2, #0x100
  0xd2800ee3, // movz x3, #0x77
  0xd4000002, // hvc #0
  0xd2a12009, // movz x9, #0x900, lsl #16
  0xf9000120, // str x0, [x9]
];
const SECOND_CODE = [
  0xd2a12009, // movz x9, #0x900, lsl #16
  0xf9000120, // str x0, [x9]
];

/** The image of a guest: code at offsets. */
function imageOf(...parts: readonly (readonly [at: number, code: readonly number[]])[]) {
  const image = new Uint8Array(0x200);
  for (const [at, code] of parts) {
    code.forEach((word, n) => {
      new DataView(image.buffer).setUint32(at + 4 * n, word, true);
    });
  }
  return image;
}

const SYSTEM = {
  branch: "android14-6.1",
  build: "production",
  documented: false,
  cpuCount: 2,
} as const;

/** A store to a device, as the process sees it. */
const store = (data: bigint) => ({ kind: "mmio", address: DEVICE, write: true, bytes: 8, data });

/** What KVM_RUN came back with, each time. */
const exitsOf = ({ log }: Run) =>
  log.flatMap((event) => (event.kind === "kvm-exit" ? [event.exit] : []));

// Source: kvm_psci_vcpu_on, arch/arm64/kvm/psci.c; PSCI 1.1, 5.6.3: x0 is the context.
test("it starts where CPU_ON said, with the context in x0", () => {
  const [create, vcpu, init, memory, pc] = guestLife(0, 0, "image");
  const run = runScenario(
    {
      system: SYSTEM,
      boot: bootOf("", []),
      actions: [
        ...[create!, vcpu!, { kind: "KVM_CREATE_VCPU", vm: 0, vcpu: 1 } as const, init!],
        // KVM_ARM_VCPU_POWER_OFF and KVM_ARM_VCPU_PSCI_0_2.
        { kind: "KVM_ARM_VCPU_INIT", vm: 0, vcpu: 1, features: 5 },
        ...[memory!, pc!],
        { kind: "run_guest", vm: 0, vcpu: 0, times: 1 },
        { kind: "run_guest", vm: 0, vcpu: 1, times: 1 },
      ],
    },
    new Map([["image", imageOf([0, FIRST_CODE], [SECOND, SECOND_CODE])]]),
  );
  expect(run.unmodelled).toBeUndefined();
  expect(exitsOf(run)).toEqual([store(0n), store(0x77n)]);
});

/** Both stack pointers get values of their own; after an exit each is stored. */
const STACKS = [
  0xd2822200, // movz x0, #0x1110
  0xd5184100, // msr sp_el0, x0
  0xd2844401, // movz x1, #0x2220
  0x9100003f, // mov sp, x1
  0xd2a12009, // movz x9, #0x900, lsl #16
  0xf900013f, // str xzr, [x9]
  0xd5384100, // mrs x0, sp_el0
  0xf9000120, // str x0, [x9]
  0x910003e0, // mov x0, sp
  0xf9000120, // str x0, [x9]
];

// Source: __sysreg_save_el1_state, __sysreg_restore_user_state: SP_EL0 and SP_EL1 are two words.
test("SP_EL0 and SP_EL1 come back after an exit", () => {
  const run = runScenario(
    {
      system: SYSTEM,
      boot: bootOf("", []),
      actions: [
        ...guestLife(0, 0, "image").slice(0, -1),
        { kind: "run_guest", vm: 0, vcpu: 0, times: 3 },
      ],
    },
    new Map([["image", imageOf([0, STACKS])]]),
  );
  expect(exitsOf(run)).toEqual([store(0n), store(0x1110n), store(0x2220n)]);
});

// HCR_EL2.TACR (bit 21) traps ACTLR_EL1; what a guest then reads is not modelled.
test("what is not modelled ends the run at its first exit, and the guest does not go on", () => {
  const run = runScenario(
    {
      system: SYSTEM,
      boot: bootOf("", []),
      actions: guestLife(0, 0x8000_0000, "image"),
    },
    // mrs x0, actlr_el1; b .
    new Map([["image", imageOf([0, [0xd5381020, 0x14000000]])]]),
    { budget: 5_000 },
  );
  expect(run.unmodelled).toMatch(/^trap of a guest at 0x80000000/);
  expect(run.final.end).toBeUndefined();
  expect(run.instructions).toBeLessThan(100);
});
