// What the host does after boot: calls by HVC from any CPU, modules in and out, VMs.

import fc from "fast-check";
import { guestLife, type HostAction } from "../../model/scenario.ts";
import type { ExampleModule } from "./examples.ts";
import { program } from "./program.ts";

const HOST_SMCCC_BASE = 0xc600_0000n;

/**
 * Function numbers around every boundary: the empty slot, the latch, the end of the table, the
 * first and the last dynamic id.
 */
const NUMBERS = [0, 1, 12, 13, 16, 17, 44, 45, 127, 128, 129, 130, 131, 254, 255, 256] as const;

const number = fc.oneof(
  { weight: 3, arbitrary: fc.constantFrom(128, 129, 130) },
  { weight: 3, arbitrary: fc.constantFrom(...NUMBERS) },
  // NON-SPEC: numbers 18 to 43 lead to hypercalls that the model stops at; a few are enough.
  { weight: 1, arbitrary: fc.integer({ min: 45, max: 300 }) },
);

/** The same number in the forms that pass for it: with the hint bit, with other upper halves. */
const functionId = fc
  .tuple(
    number,
    fc.oneof(
      { weight: 8, arbitrary: fc.constant((id: bigint) => id) },
      {
        weight: 4,
        arbitrary: fc.constantFrom(
          (id: bigint) => id | (1n << 16n),
          (id: bigint) => id + (1n << 32n),
          (id: bigint) => id | (0xffff_ffffn << 32n),
          (id: bigint) => id & ~(1n << 31n),
          (id: bigint) => BigInt.asUintN(64, id - (1n << 31n)),
          (id: bigint) => id & 0xffffn,
        ),
      },
    ),
  )
  .map(([n, form]) => form(HOST_SMCCC_BASE + BigInt(n)));

/** Values at the edges of what an argument can mean: a size, a frame, an address of each space. */
export const ARGUMENTS: readonly bigint[] = [
  0n,
  1n,
  2n,
  8n,
  0x1000n,
  0x4_0000n,
  0x7_f400n,
  0x4000_0000n,
  0x7fff_ffffn,
  0xbadn,
  0x20_0000_0000n,
  0x20_0000_c000n,
  0x40_0000_0000n,
  0xffff_ff80_0000_0000n,
  0x8000_0000_0000_0000n,
  0xffff_ffff_ffff_ffffn,
];

const argument = fc.oneof(
  { weight: 4, arbitrary: fc.constantFrom(...ARGUMENTS) },
  { weight: 1, arbitrary: fc.bigInt({ min: 0n, max: 0xffff_ffff_ffff_ffffn }) },
);

/**
 * Ops that the measurement module's second handler calls by their number in x1: registrations,
 * addresses, counters.
 */
const OPS = [8n, 9n, 10n, 11n, 12n, 15n, 16n, 17n, 22n, 28n] as const;

const args = fc.oneof(
  { weight: 3, arbitrary: fc.array(argument, { maxLength: 7 }) },
  {
    weight: 1,
    arbitrary: fc
      .tuple(fc.constantFrom(...OPS), fc.array(argument, { maxLength: 3 }))
      .map(([op, others]) => [op, ...others]),
  },
);

/** HVC from any CPU. */
export const hvc = (cpuCount: number): fc.Arbitrary<HostAction> =>
  fc
    .record({
      cpu: fc.nat(cpuCount - 1),
      imm: fc.constantFrom(0, 0, 0, 1, 5, 0xffff),
      id: functionId,
      values: args,
    })
    .map(({ cpu, imm, id, values }) => ({ kind: "hvc", cpu, imm, x: [id, ...values] }));

const vm = fc.nat(1);

/** KVM's ioctls as far as promises speak of them. */
export const kvm: fc.Arbitrary<HostAction> = fc.oneof(
  {
    weight: 3,
    arbitrary: fc.record({
      kind: fc.constant("KVM_CREATE_VM" as const),
      vm,
      type: fc.constantFrom(0x8000_0000, 0x8000_0000, 0, 0x4000_0000, 0x28),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant("KVM_SET_FW_IPA" as const),
      vm,
      ipa: fc.constantFrom(0n, 0x8000_0000n),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant("run_guest" as const),
      vm,
      vcpu: fc.nat(1),
      times: fc.constantFrom(1, 20),
    }),
  },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant("KVM_CLOSE" as const), vm }) },
);

/** One protected VM from its creation to its end, as a VMM does it. */
export const vmLife: fc.Arbitrary<readonly HostAction[]> = fc
  .tuple(vm, fc.boolean())
  .map(([number, withFirmware]) => [
    ...guestLife(number, 0x8000_0000, "off", withFirmware ? 0x8000_0000n : undefined),
    { kind: "KVM_SET_FW_IPA", vm: number, ipa: 0n },
    { kind: "KVM_CLOSE", vm: number },
  ]);

/** insmod and rmmod after boot. */
export const modules = (
  known: readonly ExampleModule[],
  cpuCount: number,
): fc.Arbitrary<HostAction> => {
  const name = fc.constantFrom(...known.map((one) => one.name), "nosuch");
  return fc.oneof(
    fc.record({
      kind: fc.constant("insmod" as const),
      cpu: fc.nat(cpuCount - 1),
      name,
      parameters: fc.oneof(
        fc.constant(""),
        program.map((text) => `seq=${text}`),
      ),
    }),
    fc.record({ kind: fc.constant("rmmod" as const), name }),
  );
};
