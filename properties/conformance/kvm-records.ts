// The records of KVM in a trace: ioctls of a process, KVM_RUN's exits, and what guests logged.

import { z } from "zod";

const text = z.string();
const number = z.int();
const register = text.regex(/^0x[0-9a-f]{1,16}$/);

/** The ioctls, and close. Source: the recorder's list of records. */
const IOCTLS = ["kvm", "kvcpu", "kinit", "kmem", "kreg", "kcap", "kcapen", "kclose"] as const;

const ioctl = z
  .strictObject({
    op: z.enum(IOCTLS),
    args: z.array(text).max(8),
    ret: number.optional(),
    errno: number.optional(),
    err: text.optional(),
    outcome: z.literal("did not return").optional(),
  })
  .transform((record) => ({ kind: "ioctl" as const, ...record }));

const mmio = z.strictObject({
  gpa: register,
  write: z.literal([0, 1]),
  len: number,
  data: register,
});

/** KVM_RUN, once; the process repeats it after accesses to devices. */
const krun = z
  .strictObject({
    op: z.literal("krun"),
    vm: number.optional(),
    vcpu: number.optional(),
    args: z.array(text).optional(),
    ret: number.optional(),
    errno: number.optional(),
    exit: number.optional(),
    mmio: mmio.optional(),
    before_replay: z.boolean().optional(),
    sysevent: number.optional(),
    ndata: number.optional(),
    d0: register.optional(),
    outcome: z.literal("did not return").optional(),
  })
  .transform((record) => ({ kind: "krun" as const, ...record }));

const guestHvc = z
  .strictObject({
    op: z.literal("guest-hvc"),
    id: register,
    args: z.array(register).length(3),
    out: z.array(register).length(4),
  })
  .transform((record) => ({ kind: "guest" as const, ...record }));

const guestAccess = z
  .strictObject({
    op: z.enum(["guest-load", "guest-store"]),
    ipa: register,
    esr_el1: register,
    far_el1: register,
    val: register.optional(),
  })
  .transform((record) => ({ kind: "guest" as const, ...record }));

/** The form of each record by its `op`. */
export const KVM_BY_OP = {
  ...Object.fromEntries(IOCTLS.map((op) => [op, ioctl])),
  krun,
  "guest-hvc": guestHvc,
  "guest-load": guestAccess,
  "guest-store": guestAccess,
};

export const KVM_RECORDS = [ioctl, krun, guestHvc, guestAccess] as const;
