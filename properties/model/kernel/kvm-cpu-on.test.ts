// CPU_ON of a guest that is not protected: the host gives the vCPU its registers.

import { expect, test } from "vitest";
import { runScenario } from "../../../model/machine/run-scenario.ts";
import { GUEST_START, guestLife } from "../../../model/scenario.ts";
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

const IMAGE = new Uint8Array(0x200);
for (const [at, code] of [
  [0, FIRST_CODE],
  [SECOND, SECOND_CODE],
] as const) {
  code.forEach((word, n) => {
    new DataView(IMAGE.buffer).setUint32(at + 4 * n, word, true);
  });
}

// Source: kvm_psci_vcpu_on, arch/arm64/kvm/psci.c; PSCI 1.1, 5.6.3: x0 is the context.
test("it starts where CPU_ON said, with the context in x0", () => {
  const [create, vcpu, init, memory, pc] = guestLife(0, 0, "image");
  const { log, unmodelled } = runScenario(
    {
      system: { branch: "android14-6.1", build: "production", documented: false, cpuCount: 2 },
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
    new Map([["image", IMAGE]]),
  );
  expect(unmodelled).toBeUndefined();
  const exits = log.flatMap((event) => (event.kind === "kvm-exit" ? [event] : []));
  const store = (data: bigint) => ({ kind: "mmio", address: DEVICE, write: true, bytes: 8, data });
  expect(exits.map(({ exit }) => exit)).toEqual([store(0n), store(0x77n)]);
  expect(GUEST_START).toBe(0x8000_0000n);
});
