// The actions of a process with virtual machines, as they are stored.

import { z } from "zod";

/** A 64-bit value, as JSON can hold it. */
export const register = z
  .string()
  .regex(/^0x[0-9a-f]{1,16}$/, "a 64-bit value is a string like 0xc6000080")
  .transform((text) => BigInt(text));

const vm = z.int().min(0).max(0xffff);
const vcpu = z.int().min(0).max(1024);

/** One form a kind; what a number may be is what the ioctl takes, and a little more. */
export const GUEST_ACTIONS = [
  z.strictObject({
    kind: z.literal("KVM_CHECK_EXTENSION"),
    capability: z.int().min(0).max(0xffff_ffff),
  }),
  z.strictObject({
    kind: z.literal("KVM_CREATE_VM"),
    vm,
    type: z.int().min(0).max(0xffff_ffff),
  }),
  z.strictObject({ kind: z.literal("KVM_SET_FW_IPA"), vm, ipa: register }),
  z.strictObject({ kind: z.literal("KVM_CREATE_VCPU"), vm, vcpu }),
  z.strictObject({
    kind: z.literal("KVM_ARM_VCPU_INIT"),
    vm,
    vcpu,
    features: z.int().min(0).max(0xffff_ffff),
  }),
  z.strictObject({
    kind: z.literal("KVM_SET_ONE_REG"),
    vm,
    vcpu,
    register: z.union([z.literal("pc"), z.int().min(0).max(30)]),
    value: register,
  }),
  z.strictObject({
    kind: z.literal("give_memory"),
    vm,
    gpa: register,
    bytes: register,
    image: z.string().max(256),
  }),
  z.strictObject({
    kind: z.literal("run_guest"),
    vm,
    vcpu,
    times: z.int().min(1).max(2000),
  }),
  z.strictObject({
    kind: z.literal("user_access"),
    vm,
    offset: register,
    store: register.exactOptional(),
  }),
  z.strictObject({ kind: z.literal("KVM_CLOSE"), vm }),
] as const;
